# Without ↔ with glasses at 128 px, unpaired: the translation by attribute of the UNIT paper. "Adventurer" by Lisa
# Wischofsky (CC BY 4.0), drawn by DiceBear. The full-size skip keeps what is no glasses sharp.
# No checkpoint ships yet: it has not been run.
[ -d data/avatars ] || "$PYTHON" -m train.prepare avatars data/avatars --count 12300
[ -d data/glasses ] || "$PYTHON" -m train.prepare task data/avatars data/glasses --a plain --b glasses --unpaired
[ -f data/glasses/classifier.safetensors ] || "$PYTHON" -m train classifier --data data/glasses

"$PYTHON" -m train discogan --data data/glasses --output checkpoints/glasses-discogan \
    --size 128 --grow-from 64 --grow-until 0.75 --depth 6 --base-width 20 --norm batch --up-layers upsample \
    --full-size-skip --discriminator-width 24 --batch-size 8 --steps 2000 --learning-rate 3e-4 --decay-from 0.6 \
    --lambda-reconstruction 30 --enlarge 1.06 --no-mirror --alike-steps 150 --seed 1 \
    --name-a "without glasses" --name-b "with glasses" --license cc-by-4.0 --sample-every 500 --save-every 250 \
    --data-note "\"Adventurer\" by Lisa Wischofsky (CC BY 4.0), remixed: drawn by DiceBear in varied colours, 6,000 faces without glasses and 6,000 others with them to train on, 300 held out." \
    "$@"
"$PYTHON" -m train evaluate checkpoints/glasses-discogan --data data/glasses
