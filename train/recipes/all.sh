# Run every recipe whose checkpoint is missing or unfinished; a training that was stopped is resumed.
# The methods with the most networks, which take longest, come first.
set -eu
for method in munit unit cyclegan discogan pix2pix; do
    for recipe in train/recipes/*-"$method".sh; do
        name=$(basename "$recipe" .sh)
        case $name in emoji-discogan | emoji-cyclegan | emoji-unit | emoji-munit) continue ;; esac # avatars ship instead
        if [ -f "checkpoints/$name/metrics.json" ]; then
            echo "$name: done, skipped."
            continue
        fi
        resume=""
        [ ! -f "runs/$name/state.pt" ] || resume="--resume"
        sh -eu "$recipe" $resume
    done
done
