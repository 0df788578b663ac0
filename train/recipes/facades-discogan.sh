# Label map ↔ photo at 128 px, unpaired. CMP Facades: https://cmp.felk.cvut.cz/~tylecr1/facade/
# in the pix2pix layout (photo left, labels right), in $DATA/facades/{train,val,test}.
# Without pairs two things decided what it learned. Crops at first: at 64 px a whole window is four pixels, a crop has it
# at its full size. And the start: walls are dark in the maps and bright in photos, and from random weights dark stays dark.
# Depth 6, so that the innermost map is 1×1 at 64 px; batch norm as in the paper. The reconstruction weighs more than
# it does there, because this training is short and nothing else ties a result to its input. The discriminators win in
# the end (as the public code slows its own, too): the second stage slows them and trusts the reconstruction more.
[ -d data/facades/train ] || "$PYTHON" -m train.prepare facades "$DATA/facades" data/facades
[ -f train/readers/facades-1.safetensors ] || "$PYTHON" -m train labelreader --data data/facades \
    --palette train/palettes/facades.json --output train/readers/facades

learn() {
    "$PYTHON" -m train discogan --data data/facades --size 128 --grow-from 64 --grow-by cropping \
        --depth 6 --base-width 20 --norm batch --discriminator-width 20 --discriminator-layers 3 \
        --batch-size 4 --learning-rate 2e-4 --gan cross_entropy --affine 0.3 --seed 1 \
        --name-a "facade labels" --kind-a labels --palette train/palettes/facades.json --name-b photo --sample-every 500 --save-every 250 \
        --data-note "CMP Facade Database (Tyleček and Šára 2013, CMP Prague), published for research: 400 label maps and 400 photos to train on, shown as two unpaired sets; 106 test pairs held out (and 100 for validation, unused)." \
        "$@"
}

first=runs/facades-discogan-first
if [ ! -f $first/weights/config.json ]; then
    resume=""
    [ ! -f $first/state.pt ] || resume="--resume"
    learn --output $first/weights --run $first $resume \
        --steps 12000 --grow-until 0.85 --negative-steps 200 --decay-from 0.5 --lambda-reconstruction 10
fi
learn --output checkpoints/facades-discogan --start-from $first/weights \
    --steps 1600 --grow-until 0 --decay-from 0.3 --lambda-reconstruction 30 --discriminator-rate 0.3 "$@"
"$PYTHON" -m train evaluate checkpoints/facades-discogan --data data/facades
