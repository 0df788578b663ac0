# Outline ↔ emoji at 128 px, unpaired.
# Noto Emoji: https://github.com/googlefonts/noto-emoji (png/128), in $DATA/noto-emoji.
# No identity loss: the two domains share no colours. Six residual blocks are the paper's at 128 px.
[ -d data/emoji/train ] || "$PYTHON" -m train.prepare outlines "$DATA/noto-emoji" data/emoji

"$PYTHON" -m train cyclegan --data data/emoji --output checkpoints/emoji-cyclegan \
    --size 128 --grow-from 64 --grow-until 0.76 --blocks 6 --base-width 32 --discriminator-width 32 \
    --batch-size 2 --steps 3600 --learning-rate 2e-4 --decay-from 0.6 \
    --gan least_squares --lambda-cycle 10 --lambda-identity 0 --enlarge 1 --affine 1 --seed 1 \
    --name-a outline --kind-a outline --name-b emoji --sample-every 500 --save-every 250 \
    --data-note "Noto Emoji by Google (Apache License 2.0): 1,477 pictures to train on, 185 held out; outlines and pictures shown as two unpaired sets." \
    "$@"
"$PYTHON" -m train evaluate checkpoints/emoji-cyclegan --data data/emoji
