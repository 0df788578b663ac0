# Outline → emoji at 128 px. Noto Emoji: https://github.com/googlefonts/noto-emoji (png/128), in $DATA/noto-emoji.
# The held-out tenth is fixed by file name (train.prepare outlines). Batch norm: after as many images it filled
# shapes more evenly than instance norm, which takes from the nearly 1×1 maps what they know of the whole picture.
[ -d data/emoji/train ] || "$PYTHON" -m train.prepare outlines "$DATA/noto-emoji" data/emoji

"$PYTHON" -m train pix2pix --data data/emoji --output checkpoints/emoji-pix2pix \
    --size 128 --depth 7 --base-width 32 --norm batch --discriminator-width 16 \
    --batch-size 16 --steps 7000 --learning-rate 4e-4 --decay-from 0.74 \
    --gan least_squares --lambda-l1 100 \
    --enlarge 1 --affine 0.5 --hand-drawn --seed 1 \
    --name-a outline --kind-a outline --name-b emoji --sample-every 500 --save-every 200 \
    --data-note "Noto Emoji by Google (Apache License 2.0): 1,477 pictures to train on, 185 held out." \
    "$@"
"$PYTHON" -m train evaluate checkpoints/emoji-pix2pix --data data/emoji
