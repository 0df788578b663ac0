# Outline ↔ emoji in many styles at 128 px, unpaired. Noto Emoji: https://github.com/googlefonts/noto-emoji (png/128),
# in $DATA/noto-emoji. Hues are varied, so that the style has colours to carry. The paper's weight of the styles'
# reconstruction, 1, left five of the eight numbers without an effect after 2,600 steps; with 10 all have one soon.
# The second stage adds the style-augmented cycle, as the paper does where domains are far apart, and lets the
# adversarial loss weigh more beside it, for fewer white holes in what is drawn.
[ -d data/emoji/train ] || "$PYTHON" -m train.prepare outlines "$DATA/noto-emoji" data/emoji

learn() {
    "$PYTHON" -m train munit --data data/emoji --size 128 --grow-from 64 \
        --base-width 24 --discriminator-width 24 --discriminator-scales 2 \
        --batch-size 4 --learning-rate 2e-4 --enlarge 1 --affine 1 --vary-hue --hand-drawn --seed 1 \
        --name-a outline --kind-a outline --name-b emoji --sample-every 500 --save-every 250 \
        --data-note "Noto Emoji by Google (Apache License 2.0): 1,477 pictures to train on, 185 held out; outlines and pictures shown as two unpaired sets." \
        "$@"
}

first=runs/emoji-munit-first
if [ ! -f $first/weights/config.json ]; then
    resume=""
    [ ! -f $first/state.pt ] || resume="--resume"
    learn --output $first/weights --run $first $resume --steps 4800 --grow-until 1 --lambda-style 10
fi
learn --output checkpoints/emoji-munit --start-from $first/weights --steps 6500 --grow-until 0.86 --decay-from 0.6 \
    --lambda-gan 4 --discriminator-rate 2 --weight-decay 0 --lambda-cycle 10 --lambda-style 5 "$@"
"$PYTHON" -m train evaluate checkpoints/emoji-munit --data data/emoji
