# Debian packages, installed where something is missing; as root, or as a user with sudo. Elsewhere it is said what is missing. To be sourced.

say() { printf '== %s\n' "$*" >&2; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

packages=()
need() { # need COMMAND-THAT-SUCCEEDS-WHEN-THERE PACKAGE...
    if ! eval "$1" >/dev/null 2>&1; then shift; packages+=("$@"); fi
}
install_needed() {
    [ ${#packages[@]} -gt 0 ] || return 0
    if ! command -v apt-get >/dev/null; then
        say "what Debian has in the packages ${packages[*]} is missing: install it by this system's own means"
        return 1
    fi
    say "installing ${packages[*]}"
    as_root apt-get update -qq &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null &&
        packages=()
}
