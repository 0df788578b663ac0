# Label map ↔ photo at 128 px, unpaired. CMP Facades: https://cmp.felk.cvut.cz/~tylecr1/facade/
# in the pix2pix layout (photo left, labels right), in $DATA/facades/{train,val,test}.
# Without pairs two things decided what it learned. Crops at first: at 64 px a whole window is four pixels, a crop has it
# at its full size. And the start: walls are dark in the maps and bright in photos, and from random weights dark stays dark.
# The style-augmented cycle, because maps and photos are far apart. Two scales are enough at these sizes.
[ -d data/facades/train ] || "$PYTHON" -m train.prepare facades "$DATA/facades" data/facades
[ -f train/readers/facades-1.safetensors ] || "$PYTHON" -m train labelreader --data data/facades \
    --palette train/palettes/facades.json --output train/readers/facades

"$PYTHON" -m train munit --data data/facades --output checkpoints/facades-munit \
    --size 128 --grow-from 64 --grow-by cropping --grow-until 0.88 --negative-steps 200 \
    --base-width 24 --discriminator-width 24 --discriminator-layers 3 --discriminator-scales 2 \
    --batch-size 2 --steps 3900 --learning-rate 2e-4 --decay-from 0.5 \
    --lambda-cycle 10 --affine 0.3 --seed 1 \
    --name-a "facade labels" --kind-a labels --palette train/palettes/facades.json --name-b photo --sample-every 500 --save-every 250 \
    --data-note "CMP Facade Database (Tyleček and Šára 2013, CMP Prague), published for research: 400 label maps and 400 photos to train on, shown as two unpaired sets; 106 test pairs held out (and 100 for validation, unused)." \
    "$@"
"$PYTHON" -m train evaluate checkpoints/facades-munit --data data/facades
