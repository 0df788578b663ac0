# Label map ↔ photo at 128 px, unpaired. CMP Facades: https://cmp.felk.cvut.cz/~tylecr1/facade/
# in the pix2pix layout (photo left, labels right), in $DATA/facades/{train,val,test}.
# Without pairs two things decided what it learned. Crops at first: at 64 px a whole window is four pixels, a crop has it
# at its full size. And the start: walls are dark in the maps and bright in photos, and from random weights dark stays dark.
# No identity loss: the two domains share no colours. Six residual blocks are the paper's at 128 px. Discriminators that
# see 34 pixels, which is what 70 are at the paper's 256.
[ -d data/facades/train ] || "$PYTHON" -m train.prepare facades "$DATA/facades" data/facades
[ -f train/readers/facades-1.safetensors ] || "$PYTHON" -m train labelreader --data data/facades \
    --palette train/palettes/facades.json --output train/readers/facades

"$PYTHON" -m train cyclegan --data data/facades --output checkpoints/facades-cyclegan \
    --size 128 --grow-from 64 --grow-by cropping --grow-until 0.87 --negative-steps 200 \
    --blocks 6 --base-width 32 --discriminator-width 32 --discriminator-layers 2 \
    --batch-size 2 --steps 8600 --learning-rate 2e-4 --decay-from 0.5 \
    --gan least_squares --lambda-cycle 10 --lambda-identity 0 --affine 0.3 --seed 1 \
    --name-a "facade labels" --kind-a labels --palette train/palettes/facades.json --name-b photo --sample-every 500 --save-every 250 \
    --data-note "CMP Facade Database (Tyleček and Šára 2013, CMP Prague), published for research: 400 label maps and 400 photos to train on, shown as two unpaired sets; 106 test pairs held out (and 100 for validation, unused)." \
    "$@"
"$PYTHON" -m train evaluate checkpoints/facades-cyclegan --data data/facades
