# Sketch ↔ avatar in many styles at 128 px, unpaired. "Adventurer" by Lisa Wischofsky (CC BY 4.0), drawn by DiceBear,
# or ready in $DATA/avatars. The sketches to learn from are shaded, half of them in lines only: greys tell the network
# what is hair and skin, which lines alone do not, and the bare lines of the tests come along. The explicit cycle finds
# the content: without it faces are blots.
[ -d data/avatars ] || "$PYTHON" -m train.prepare avatars data/avatars \
    $([ ! -d "$DATA/avatars" ] || echo --from "$DATA/avatars")
[ -d data/avatar-munit ] || "$PYTHON" -m train.prepare task data/avatars data/avatar-munit \
    --a shaded --b colour --unpaired --test-a line
[ -f data/avatar-munit/classifier.safetensors ] || "$PYTHON" -m train classifier --data data/avatar-munit

"$PYTHON" -m train munit --data data/avatar-munit --output checkpoints/avatar-munit \
    --size 128 --grow-from 64 --grow-until 0.7 --steps 14000 \
    --base-width 16 --blocks 3 \
    --discriminator-width 24 --discriminator-scales 2 --discriminator-layers 3 \
    --batch-size 4 --learning-rate 3e-4 --decay-from 1 --weight-decay 0 \
    --lambda-style 5 --lambda-cycle 5 --enlarge 1.06 --seed 1 \
    --name-a sketch --kind-a outline --name-b avatar --license cc-by-4.0 --sample-every 500 --save-every 250 \
    --data-note "\"Adventurer\" by Lisa Wischofsky (CC BY 4.0), remixed: drawn by DiceBear in varied colours and in greys. 1,350 sketches and the avatars of 1,350 other faces to train on, 300 faces held out." \
    "$@"
"$PYTHON" -m train evaluate checkpoints/avatar-munit --data data/avatar-munit
