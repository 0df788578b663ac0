# Sketch ↔ avatar in many styles at 128 px, unpaired. "Adventurer" by Lisa Wischofsky (CC BY 4.0), drawn by DiceBear.
# The sketches to learn from are shaded, half of them in lines only: greys tell the network what is hair and skin, which
# lines alone do not, and the bare lines of the tests come along. The explicit cycle finds the content: without it faces
# are blots. The second stage lets the adversarial loss weigh more. With two scales of discriminators hair stayed a halo
# of the background's colour; in the third stage three scales see the whole head, and hair is filled.
[ -d data/avatars ] || "$PYTHON" -m train.prepare avatars data/avatars --count 12300
[ -d data/avatar-munit ] || "$PYTHON" -m train.prepare task data/avatars data/avatar-munit \
    --a shaded --b colour --unpaired --test-a line

learn() {
    "$PYTHON" -m train munit --data data/avatar-munit --size 128 --grow-from 64 \
        --base-width 16 --blocks 3 --discriminator-layers 3 \
        --batch-size 4 --learning-rate 3e-4 --weight-decay 0 --lambda-style 5 --lambda-cycle 5 --enlarge 1.06 \
        --name-a sketch --kind-a outline --name-b avatar --license cc-by-4.0 --sample-every 500 --save-every 250 \
        --data-note "\"Adventurer\" by Lisa Wischofsky (CC BY 4.0), remixed: drawn by DiceBear in varied colours and in greys. 6,000 sketches and the avatars of 6,000 other faces to train on, 300 faces held out." \
        "$@"
}

stage() {
    name=$1
    shift
    [ ! -f "runs/avatar-munit-$name/weights/config.json" ] || return 0
    resume=""
    [ ! -f "runs/avatar-munit-$name/state.pt" ] || resume="--resume"
    learn --output "runs/avatar-munit-$name/weights" --run "runs/avatar-munit-$name" $resume "$@"
}

stage first --steps 4000 --grow-until 1 --discriminator-width 24 --discriminator-scales 2 --seed 1
stage second --start-from runs/avatar-munit-first/weights --steps 5400 --grow-until 0.81 \
    --discriminator-width 24 --discriminator-scales 2 --lambda-gan 4 --discriminator-rate 2 --seed 2
learn --output checkpoints/avatar-munit --start-from runs/avatar-munit-second/weights --steps 4900 --grow-until 0.71 \
    --discriminator-width 32 --discriminator-scales 3 --lambda-gan 4 --discriminator-rate 2 --decay-from 0.75 --seed 3 "$@"
"$PYTHON" -m train evaluate checkpoints/avatar-munit --data data/avatar-munit
