# Outline ↔ emoji at 128 px, unpaired.
# Noto Emoji: https://github.com/googlefonts/noto-emoji (png/128), in $DATA/noto-emoji.
# Depth 6, so that the innermost map is 1×1 at 64 px; batch norm as in the paper. The reconstruction weighs ten times
# what it does there, because this training is short and nothing else ties a result to its input.
[ -d data/emoji/train ] || "$PYTHON" -m train.prepare outlines "$DATA/noto-emoji" data/emoji

"$PYTHON" -m train discogan --data data/emoji --output checkpoints/emoji-discogan \
    --size 128 --grow-from 64 --grow-until 0.75 --depth 6 --base-width 32 --norm batch --discriminator-width 32 \
    --batch-size 4 --steps 2800 --learning-rate 2e-4 --decay-from 0.6 \
    --gan cross_entropy --lambda-reconstruction 10 --enlarge 1 --affine 1 --seed 1 \
    --name-a outline --kind-a outline --name-b emoji --sample-every 500 --save-every 250 \
    --data-note "Noto Emoji by Google (Apache License 2.0): 1,477 pictures to train on, 185 held out; outlines and pictures shown as two unpaired sets." \
    "$@"
"$PYTHON" -m train evaluate checkpoints/emoji-discogan --data data/emoji
