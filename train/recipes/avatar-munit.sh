# Sketch ↔ avatar in many styles at 128 px, unpaired. "Adventurer" by Lisa Wischofsky (CC BY 4.0), drawn by DiceBear.
# The sketches to learn from are shaded at first, half of them in lines only: greys tell the network what is hair and
# skin, which lines alone do not. What is grey then says which colours are light, and lines, being white, came out in one
# skin; so the second stage has lines alone, and their colours are the style's. The explicit cycle finds the content:
# without it faces are blots. Discriminators of three scales see the whole head, so that hair is filled. Four blocks see
# more of a face at 128 px than three; a third halving instead of them kept no lines.
[ -d data/avatars ] || "$PYTHON" -m train.prepare avatars data/avatars --count 12300
for kind in shaded line; do
    [ -d "data/avatar-$kind" ] || "$PYTHON" -m train.prepare task data/avatars "data/avatar-$kind" \
        --a "$kind" --b colour --unpaired --test-a line
done
[ -f data/avatar-line/classifier.safetensors ] || "$PYTHON" -m train classifier --data data/avatar-line

learn() {
    "$PYTHON" -m train munit --size 128 --grow-from 64 \
        --base-width 16 --blocks 4 \
        --discriminator-layers 3 --discriminator-width 32 --discriminator-scales 3 --discriminator-rate 2 \
        --batch-size 4 --learning-rate 3e-4 --weight-decay 0 \
        --lambda-gan 4 --lambda-style 5 --lambda-cycle 5 --enlarge 1.06 --no-mirror \
        --name-a sketch --kind-a outline --name-b avatar --license cc-by-4.0 --sample-every 500 --save-every 250 \
        --data-note "\"Adventurer\" by Lisa Wischofsky (CC BY 4.0), remixed: drawn by DiceBear in varied colours, in lines and in greys. 6,000 sketches and the avatars of 6,000 other faces to train on, 300 faces held out." \
        "$@"
}

first=runs/avatar-munit-first
if [ ! -f $first/weights/config.json ]; then
    resume=""
    [ ! -f $first/state.pt ] || resume="--resume"
    learn --data data/avatar-shaded --output $first/weights --run $first $resume --steps 6119 --grow-until 1 --seed 4
fi
learn --data data/avatar-line --output checkpoints/avatar-munit --start-from $first/weights \
    --steps 3400 --grow-until 0.53 --decay-from 0.7 --seed 5 "$@"
"$PYTHON" -m train evaluate checkpoints/avatar-munit --data data/avatar-line
