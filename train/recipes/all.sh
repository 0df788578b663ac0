# Run every recipe whose checkpoint is missing or unfinished; a training that was stopped is resumed.
set -eu
for recipe in train/recipes/*-*.sh; do
    name=$(basename "$recipe" .sh)
    if [ -f "checkpoints/$name/metrics.json" ]; then
        echo "$name: done, skipped."
        continue
    fi
    resume=""
    [ ! -f "runs/$name/state.pt" ] || resume="--resume"
    sh -eu "$recipe" $resume
done
