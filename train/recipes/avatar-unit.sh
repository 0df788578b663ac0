# Sketch ↔ avatar at 128 px, unpaired: one colouring for each sketch, beside avatar-munit, which gives as many as one
# likes. "Adventurer" by Lisa Wischofsky (CC BY 4.0), drawn by DiceBear. The sketches to learn from are shaded at first,
# half of them in lines only, as for avatar-munit; then lines alone.
# No checkpoint ships yet: it has not been run to its end.
[ -d data/avatars ] || "$PYTHON" -m train.prepare avatars data/avatars --count 12300
for kind in shaded line; do
    [ -d "data/avatar-$kind" ] || "$PYTHON" -m train.prepare task data/avatars "data/avatar-$kind" \
        --a "$kind" --b colour --unpaired --test-a line
done

learn() {
    "$PYTHON" -m train unit --size 128 --grow-from 64 \
        --base-width 16 --discriminator-width 32 --discriminator-rate 2 --gan least_squares --lambda-gan 60 --lambda-cycle 30 --discriminator-layers 3 --batch-size 4 --learning-rate 3e-4 \
        --enlarge 1.06 --no-mirror \
        --name-a sketch --kind-a outline --name-b avatar --license cc-by-4.0 --sample-every 500 --save-every 250 \
        --data-note "\"Adventurer\" by Lisa Wischofsky (CC BY 4.0), remixed: drawn by DiceBear in varied colours, in lines and in greys. 6,000 sketches and the avatars of 6,000 other faces to train on, 300 faces held out." \
        "$@"
}

first=runs/avatar-unit-first
if [ ! -f $first/weights/config.json ]; then
    resume=""
    [ ! -f $first/state.pt ] || resume="--resume"
    learn --data data/avatar-shaded --output $first/weights --run $first $resume --steps 2400 --grow-until 1 --alike-steps 150 --seed 1
fi
learn --data data/avatar-line --output checkpoints/avatar-unit --start-from $first/weights \
    --steps 1200 --grow-until 0.6 --decay-from 0.5 --seed 2 "$@"
"$PYTHON" -m train evaluate checkpoints/avatar-unit --data data/avatar-line
