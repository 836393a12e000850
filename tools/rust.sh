# Puts a Rust that is new enough for Cargo.toml's rust-version before others on the PATH. To be sourced, at the top of the tree.
# The directory holds links that tools/setup.sh makes where the Rust that is found first is too old; where it is not, it is not there.
PATH=$PWD/target/rust/bin:$PATH:$HOME/.cargo/bin
