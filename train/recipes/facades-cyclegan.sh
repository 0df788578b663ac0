# Label map ↔ photo at 128 px, unpaired. CMP Facades: https://cmp.felk.cvut.cz/~tylecr1/facade/
# in the pix2pix layout (photo left, labels right), in $DATA/facades/{train,val,test}.
# No identity loss: the two domains share no colours. Six residual blocks are the paper's at 128 px.
[ -d data/facades/train ] || "$PYTHON" -m train.prepare facades "$DATA/facades" data/facades
[ -f train/readers/facades.safetensors ] || "$PYTHON" -m train labelreader --data data/facades

"$PYTHON" -m train cyclegan --data data/facades --output checkpoints/facades-cyclegan \
    --size 128 --grow-from 64 --grow-until 0.6 --blocks 6 --base-width 32 --discriminator-width 32 \
    --batch-size 2 --steps 20000 --learning-rate 2e-4 --decay-from 0.5 \
    --gan least_squares --lambda-cycle 10 --lambda-identity 0 --affine 0.3 --seed 1 \
    --name-a "facade labels" --kind-a labels --palette facades --name-b photo --sample-every 500 --save-every 250 \
    --data-note "CMP Facade Database (Tyleček and Šára 2013, CMP Prague), published for research: 400 label maps and 400 photos to train on, shown as two unpaired sets; 106 test pairs held out (and 100 for validation, unused)." \
    "$@"
"$PYTHON" -m train evaluate checkpoints/facades-cyclegan --data data/facades
