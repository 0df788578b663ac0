# Label map ↔ photo at 128 px, unpaired. CMP Facades: https://cmp.felk.cvut.cz/~tylecr1/facade/
# in the pix2pix layout (photo left, labels right), in $DATA/facades/{train,val,test}.
# Without pairs two things decided what it learned. Crops at first: at 64 px a whole window is four pixels, a crop has it
# at its full size. And the start: walls are dark in the maps and bright in photos, and from random weights dark stays dark.
# The paper's losses; twice its learning rate, because the training is short. Width 24 leaves time for more steps.
[ -d data/facades/train ] || "$PYTHON" -m train.prepare facades "$DATA/facades" data/facades
[ -f train/readers/facades-1.safetensors ] || "$PYTHON" -m train labelreader --data data/facades \
    --palette train/palettes/facades.json --output train/readers/facades

"$PYTHON" -m train unit --data data/facades --output checkpoints/facades-unit \
    --size 128 --grow-from 64 --grow-by cropping --grow-until 0.88 --negative-steps 200 \
    --base-width 24 --discriminator-width 24 --discriminator-layers 4 \
    --batch-size 2 --steps 3800 --learning-rate 2e-4 --decay-from 0.5 \
    --affine 0.3 --seed 1 \
    --name-a "facade labels" --kind-a labels --palette train/palettes/facades.json --name-b photo --sample-every 500 --save-every 250 \
    --data-note "CMP Facade Database (Tyleček and Šára 2013, CMP Prague), published for research: 400 label maps and 400 photos to train on, shown as two unpaired sets; 106 test pairs held out (and 100 for validation, unused)." \
    "$@"
"$PYTHON" -m train evaluate checkpoints/facades-unit --data data/facades
