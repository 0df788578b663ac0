# Outline ↔ emoji at 128 px, unpaired.
# Noto Emoji: https://github.com/googlefonts/noto-emoji (png/128), in $DATA/noto-emoji.
# The paper's losses; twice its learning rate, because the training is short.
[ -d data/emoji/train ] || "$PYTHON" -m train.prepare outlines "$DATA/noto-emoji" data/emoji

"$PYTHON" -m train unit --data data/emoji --output checkpoints/emoji-unit \
    --size 128 --grow-from 64 --grow-until 0.88 --base-width 24 --discriminator-width 24 --discriminator-layers 4 \
    --batch-size 2 --steps 2917 --learning-rate 2e-4 --decay-from 0.6 \
    --enlarge 1 --affine 1 --seed 1 \
    --name-a outline --kind-a outline --name-b emoji --sample-every 500 --save-every 250 \
    --data-note "Noto Emoji by Google (Apache License 2.0): 1,477 pictures to train on, 185 held out; outlines and pictures shown as two unpaired sets." \
    "$@"
"$PYTHON" -m train evaluate checkpoints/emoji-unit --data data/emoji
