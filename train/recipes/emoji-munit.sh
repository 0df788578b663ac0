# Outline ↔ emoji at 128 px, unpaired.
# Noto Emoji: https://github.com/googlefonts/noto-emoji (png/128), in $DATA/noto-emoji.
# Hues of the emoji are varied, so that the style has colours to carry; outlines as hands draw them, since an outline's
# style may hold its stroke. Styles come apart early at 64 px, 128 then sharpens. Two scales are enough at these sizes.
[ -d data/emoji/train ] || "$PYTHON" -m train.prepare outlines "$DATA/noto-emoji" data/emoji

"$PYTHON" -m train munit --data data/emoji --output checkpoints/emoji-munit \
    --size 128 --grow-from 64 --grow-until 0.8305 --base-width 24 --discriminator-width 24 --discriminator-scales 2 \
    --batch-size 4 --steps 2620 --learning-rate 2e-4 --decay-from 0.85 \
    --lambda-cycle 0 --enlarge 1 --affine 1 --vary-hue --hand-drawn --seed 1 \
    --name-a outline --kind-a outline --name-b emoji --sample-every 500 --save-every 250 \
    --data-note "Noto Emoji by Google (Apache License 2.0): 1,477 pictures to train on, 185 held out; outlines and pictures shown as two unpaired sets." \
    "$@"
"$PYTHON" -m train evaluate checkpoints/emoji-munit --data data/emoji
