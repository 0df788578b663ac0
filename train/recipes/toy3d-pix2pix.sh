# Flat drawing → 3D render at 128 px, crops from sheets of 144. Fluent emoji by Microsoft (MIT), drawn from npm packages
# or ready in $DATA/fluent-emoji; every tenth is held out. No dropout and a small weight of L1: both show the same thing
# in the same place, so there is little to guess. Colours are varied alike in both, so that any colour may be painted. All
# upward layers enlarge and convolve: transposed convolutions left a halftone pattern on the large smooth surfaces. A skip
# at full size keeps edges as sharp as they are painted.
# Nothing is mirrored: digits and letters are among the emoji, and the renders are lit from the right.
# The drawings are simplified at first, as people paint; a simplified drawing does not say where details were, which
# blurs the renders, so the second stage has them as they are.
[ -d data/fluent ] || "$PYTHON" -m train.prepare fluent data/fluent \
    $([ ! -d "$DATA/fluent-emoji" ] || echo --from "$DATA/fluent-emoji")
[ -d data/toy3d ] || "$PYTHON" -m train.prepare task data/fluent data/toy3d --a flat --b 3d --size 144 --margin 9

learn() {
    "$PYTHON" -m train pix2pix --data data/toy3d \
        --size 128 --depth 6 --base-width 32 --discriminator-width 24 \
        --batch-size 8 --gan least_squares --lambda-l1 50 --no-dropout --up-layers upsample --full-size-skip \
        --enlarge 1.125 --no-mirror --vary-colours --seed 1 \
        --name-a "flat drawing" --kind-a paint --name-b "3D render" --sample-every 500 --save-every 250 \
        --data-note "Fluent emoji by Microsoft (MIT): 1,233 pairs of a flat drawing and a 3D render to train on, 138 held out." \
        "$@"
}

first=runs/toy3d-pix2pix-first
if [ ! -f $first/weights/config.json ]; then
    resume=""
    [ ! -f $first/state.pt ] || resume="--resume"
    learn --output $first/weights --run $first $resume --steps 4000 --learning-rate 4e-4 --decay-from 0.6 --warp 1 --simplify
fi
learn --output checkpoints/toy3d-pix2pix --start-from $first/weights --steps 2000 --learning-rate 2e-4 --decay-from 0.3 "$@"
"$PYTHON" -m train evaluate checkpoints/toy3d-pix2pix --data data/toy3d
