# Label map → photo at 256 px, the official split. CMP Facades: https://cmp.felk.cvut.cz/~tylecr1/facade/
# in the pix2pix layout (photo left, labels right), in $DATA/facades/{train,val,test}.
[ -d data/facades/train ] || "$PYTHON" -m train.prepare facades "$DATA/facades" data/facades

"$PYTHON" -m train pix2pix --data data/facades --output checkpoints/facades-pix2pix \
    --size 256 --grow-from 128 --grow-until 0.6 --depth 7 --base-width 32 --discriminator-width 24 \
    --batch-size 2 --steps 6000 --learning-rate 2e-4 --decay-from 0.6 \
    --gan cross_entropy --lambda-l1 100 --seed 1 \
    --name-a "facade labels" --kind-a labels --palette train/palettes/facades.json --name-b photo --sample-every 500 --save-every 250 \
    --data-note "CMP Facade Database (Tyleček and Šára 2013, CMP Prague), published for research: 400 pairs to train on, 106 test pairs held out (and 100 for validation, unused)." \
    "$@"
"$PYTHON" -m train evaluate checkpoints/facades-pix2pix --data data/facades
