# Flat drawing → 3D render at 128 px, crops from sheets of 144. Fluent emoji by Microsoft (MIT), drawn from npm packages
# or ready in $DATA/fluent-emoji; every tenth is held out. No dropout and a small weight of L1: both show the same thing
# in the same place, so there is little to guess. Colours are varied alike in both, so that any colour may be painted, and
# the drawings are simplified as people paint. All upward layers enlarge and convolve: transposed convolutions left a
# halftone pattern on the large smooth surfaces.
[ -d data/fluent ] || "$PYTHON" -m train.prepare fluent data/fluent \
    $([ ! -d "$DATA/fluent-emoji" ] || echo --from "$DATA/fluent-emoji")
[ -d data/toy3d ] || "$PYTHON" -m train.prepare task data/fluent data/toy3d --a flat --b 3d --size 144 --margin 9

"$PYTHON" -m train pix2pix --data data/toy3d --output checkpoints/toy3d-pix2pix \
    --size 128 --depth 6 --base-width 32 --discriminator-width 24 \
    --batch-size 8 --steps 4000 --learning-rate 4e-4 --decay-from 0.6 \
    --gan least_squares --lambda-l1 50 --no-dropout --up-layers upsample \
    --enlarge 1.125 --vary-colours --warp 1 --simplify --seed 1 \
    --name-a "flat drawing" --kind-a paint --name-b "3D render" --sample-every 500 --save-every 250 \
    --data-note "Fluent emoji by Microsoft (MIT): 1,233 pairs of a flat drawing and a 3D render to train on, 138 held out." \
    "$@"
"$PYTHON" -m train evaluate checkpoints/toy3d-pix2pix --data data/toy3d
