# Outline → emoji at 128 px. Noto Emoji: https://github.com/googlefonts/noto-emoji (png/128), in $DATA/noto-emoji.
# The held-out tenth is fixed by file name (train.prepare outlines).
[ -d data/emoji/train ] || "$PYTHON" -m train.prepare outlines "$DATA/noto-emoji" data/emoji

"$PYTHON" -m train pix2pix --data data/emoji --output checkpoints/emoji-pix2pix \
    --size 128 --depth 7 --base-width 32 --discriminator-width 16 \
    --batch-size 8 --steps 8000 --learning-rate 3e-4 --decay-from 0.4 \
    --gan least_squares --lambda-l1 100 \
    --enlarge 1 --affine 1 --hand-drawn --seed 1 \
    --name-a outline --kind-a outline --name-b emoji --sample-every 500 --save-every 250 \
    --data-note "Noto Emoji by Google (Apache License 2.0): 1,477 pictures to train on, 185 held out." \
    "$@"
"$PYTHON" -m train evaluate checkpoints/emoji-pix2pix --data data/emoji
