# Eight kinds of ground ↔ satellite picture at 128 px, without pairs: the tiles of earth-pix2pix, shuffled. Batch norm,
# since a ground of one kind is all zeros after an instance norm. Crops of 64 px first, in which everything has its full
# size. The maps have the ground's colours, so generators learn to copy first and have an identity loss: without either,
# seas became land and the deep sea forest.
[ -d data/earth ] || "$PYTHON" -m train.prepare earth data/earth \
    $([ ! -d "$DATA/earth" ] || echo --from "$DATA/earth")
[ -d data/ground ] || "$PYTHON" -m train.prepare task data/earth data/ground --a labels --b satellite

"$PYTHON" -m train cyclegan --data data/ground --output checkpoints/earth-cyclegan \
    --size 128 --grow-from 64 --grow-by cropping --grow-until 0.8 --blocks 4 --base-width 20 --norm batch \
    --discriminator-width 32 --batch-size 4 --steps 4000 --learning-rate 3e-4 --decay-from 0.6 \
    --gan least_squares --lambda-cycle 10 --lambda-identity 3 --enlarge 1.5 --alike-steps 300 --seed 1 \
    --name-a ground --kind-a labels --palette data/ground/palette.json --name-b satellite \
    --sample-every 500 --save-every 250 \
    --data-note "Blue Marble by NASA (public domain) and eight kinds of ground that were read off it: 403 tiles to train on, the 40 between 100° and 131° East held out. Coast lines of GSHHS (LGPL) told land from water." \
    "$@"
"$PYTHON" -m train evaluate checkpoints/earth-cyclegan --data data/ground
