# Eight kinds of ground ↔ satellite picture at 128 px, without pairs: the tiles of earth-pix2pix, shuffled. Crops of 64 px
# first, in which everything has its full size.
# No checkpoint ships yet: readers find in its satellite pictures 0.69 of what they find in real ones, and 0.27 of the
# pixels of its maps are within 16 of the truth; ice becomes desert, the deep sea forest.
[ -d data/earth ] || "$PYTHON" -m train.prepare earth data/earth \
    $([ ! -d "$DATA/earth" ] || echo --from "$DATA/earth")
[ -d data/ground ] || "$PYTHON" -m train.prepare task data/earth data/ground --a labels --b satellite

"$PYTHON" -m train unit --data data/ground --output checkpoints/earth-unit \
    --size 128 --grow-from 64 --grow-by cropping --grow-until 0.9 --base-width 16 \
    --discriminator-width 32 --discriminator-rate 2 --gan least_squares --lambda-gan 60 --lambda-cycle 30 --batch-size 4 --steps 2300 --learning-rate 3e-4 --decay-from 0.6 --enlarge 1.5 --alike-steps 300 --seed 1 \
    --name-a ground --kind-a labels --palette data/ground/palette.json --name-b satellite \
    --sample-every 500 --save-every 250 \
    --data-note "Blue Marble by NASA (public domain) and eight kinds of ground that were read off it: 403 tiles to train on, the 40 between 100° and 131° East held out. Coast lines of GSHHS (LGPL) told land from water." \
    "$@"
"$PYTHON" -m train evaluate checkpoints/earth-unit --data data/ground
