# Find a Chromium for the browser tests, or install one: the distribution's package where there is a real one
# (on Ubuntu it is a snap, which cannot run in a container), else Playwright's own build.
set -u
for name in chromium chromium-browser google-chrome; do
    # `--version` fails for Ubuntu's placeholder script.
    "$name" --version >/dev/null 2>&1 && exit 0
done
sudo=""
[ "$(id -u)" = 0 ] || sudo="sudo -n"
if grep -qs '^ID=debian' /etc/os-release; then
    $sudo apt-get update -qq && $sudo apt-get install -y -qq --no-install-recommends chromium >/dev/null && exit 0
fi
"$1/playwright" install --with-deps chromium && exit 0
echo "No Chromium could be installed: install the package 'chromium' by hand, then run make test again." >&2
exit 1
