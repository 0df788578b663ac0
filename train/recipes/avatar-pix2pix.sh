# Sketch → avatar at 128 px, from pairs: one colouring for each sketch, beside avatar-munit, which gives as many as one
# likes. "Adventurer" by Lisa Wischofsky (CC BY 4.0), drawn by DiceBear.
[ -d data/avatars ] || "$PYTHON" -m train.prepare avatars data/avatars --count 12300
[ -d data/avatar-pairs ] || "$PYTHON" -m train.prepare task data/avatars data/avatar-pairs --a line --b colour

"$PYTHON" -m train pix2pix --data data/avatar-pairs --output checkpoints/avatar-pix2pix \
    --size 128 --depth 6 --base-width 24 --discriminator-width 24 --up-layers upsample --full-size-skip \
    --batch-size 8 --steps 2000 --learning-rate 4e-4 --decay-from 0.5 \
    --gan least_squares --lambda-l1 30 --enlarge 1.06 --no-mirror --seed 1 \
    --name-a sketch --kind-a outline --name-b avatar --license cc-by-4.0 --sample-every 500 --save-every 250 \
    --data-note "\"Adventurer\" by Lisa Wischofsky (CC BY 4.0), remixed: drawn by DiceBear in varied colours and in lines. 12,000 pairs to train on, 300 held out." \
    "$@"
"$PYTHON" -m train evaluate checkpoints/avatar-pix2pix --data data/avatar-pairs
