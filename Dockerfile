# One image for every part of the system: `docker build --tag food-ordering .`, or `docker compose build`. The test rig, which
# puts load on the system and kills its processes, has a separate image: `docker build --target trials --tag food-ordering-trials
# .`.
#
# This file works with BuildKit and with the classic builder, the only one in engines before 23 and in those without buildx. So it
# uses no cache mounts. Instead, cargo-chef puts the dependencies into a separate layer, which is rebuilt only when Cargo.toml or
# Cargo.lock changes.
#
# BuildKit also builds it for the other architecture, amd64 or arm64 (`--platform linux/arm64`). It compiles on the machine's own
# architecture, with a cross compiler; only the stage `debian` is emulated. The classic builder knows neither BUILDPLATFORM nor
# TARGETARCH, and takes `linux` for the machine's own platform.

# The same version as in rust-toolchain.toml; a test compares the two.
ARG RUST_VERSION=1.95.0
ARG NODE_VERSION=24
ARG DEBIAN=trixie

# The web UI.
FROM --platform=${BUILDPLATFORM:-linux} node:${NODE_VERSION}-${DEBIAN}-slim AS web-ui
WORKDIR /webui
COPY webui/package.json webui/package-lock.json ./
# Not `npm ci`, for the reason given in xtask/src/node.rs.
RUN npm install --no-save --no-audit --no-fund --loglevel=error
COPY webui ./
# Files in `public` keep their modes from the checkout, which may allow only the owner to read them (umask 077).
RUN npm run --silent build && chmod --recursive u=rwX,go=rX dist

# The build tools: compilers and make for the Kafka client and SQLite, OpenSSL for the Kafka client's TLS.
FROM --platform=${BUILDPLATFORM:-linux} rust:${RUST_VERSION}-slim-${DEBIAN} AS rust
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ libssl-dev make pkg-config \
    && rm -rf /var/lib/apt/lists/* \
    && cargo install cargo-chef --locked --version 0.1.78 \
    && rm -rf "$CARGO_HOME/registry"
WORKDIR /build
# For the other architecture: its compiler and OpenSSL, and what Cargo needs to know of them. librdkafka's build reads CC, CXX and
# AR, so the compilers for build scripts get names of their own. /cross contains the argument for Cargo, or nothing.
ARG BUILDARCH
ARG TARGETARCH
RUN touch /cross; [ "$TARGETARCH" = "$BUILDARCH" ] || { set -eu; \
        case "$TARGETARCH" in \
            amd64) cpu=x86_64 ;; \
            arm64) cpu=aarch64 ;; \
            *) echo "cannot compile for $TARGETARCH" >&2; exit 1 ;; \
        esac; \
        gnu=$cpu-linux-gnu; \
        dpkg --add-architecture "$TARGETARCH"; \
        apt-get update; \
        apt-get install --yes --no-install-recommends "g++-$(echo $gnu | tr _ -)" "libssl-dev:$TARGETARCH"; \
        rm -rf /var/lib/apt/lists/*; \
        rustup target add $cpu-unknown-linux-gnu; \
        printf "%s\n" "[target.$cpu-unknown-linux-gnu]" "linker = '$gnu-gcc'" \
            "[env]" "CC = '$gnu-gcc'" "CXX = '$gnu-g++'" "AR = '$gnu-ar'" "HOST_CC = 'gcc'" "HOST_CXX = 'g++'" "HOST_AR = 'ar'" \
            "PKG_CONFIG_ALLOW_CROSS = '1'" "PKG_CONFIG_LIBDIR = '/usr/lib/$gnu/pkgconfig'" >"$CARGO_HOME/config.toml"; \
        echo "--target=$cpu-unknown-linux-gnu" >/cross; \
    }

# Creates recipe.json, which describes only the dependencies. It stays the same when other parts of the sources change.
FROM rust AS recipe
COPY . .
RUN cargo chef prepare --recipe-path recipe.json

FROM rust AS binary
COPY --from=recipe /build/recipe.json ./
RUN cargo chef cook --locked --release $(cat /cross) --package food-ordering --package psql-gateway --package trials --recipe-path recipe.json
COPY Cargo.toml Cargo.lock ./
COPY .cargo .cargo
# Only the manifests of these packages are needed. The layer with the dependencies contains placeholders for their sources.
COPY xtask/Cargo.toml xtask/
COPY tests/Cargo.toml tests/
COPY crates crates
# The views for SQL: psql-gateway reads them, and food-ordering contains them.
COPY sql sql
# Names all packages, as above. With only some of them, Cargo would enable other features and recompile a tenth of the dependencies.
RUN cargo build --locked --release $(cat /cross) --package food-ordering --package psql-gateway --package trials --bin food-ordering --bin psql-gateway \
    # With a target, Cargo puts the programs into a directory of its name.
    && if [ -s /cross ]; then mv target/*/release/food-ordering target/*/release/psql-gateway target/release/; fi \
    # The files have the modes of the checkout.
    && chmod --recursive u=rwX,go=rX sql

# The test rig. Linking it takes minutes, so it has its own stage, which BuildKit skips unless it is needed.
FROM binary AS trials-binary
RUN cargo build --locked --release $(cat /cross) --package food-ordering --package psql-gateway --package trials --bin trials \
    && if [ -s /cross ]; then mv target/*/release/trials target/release/; fi

# Debian without its package manager and the packages that only the package manager needs, which makes it a third smaller. bash
# stays, for restate-setup.sh and for people. dpkg stays, so that scanners can list the packages.
FROM debian:${DEBIAN}-slim AS debian
# The id that container images commonly use for `nonroot`. It is a number, because Kubernetes requires one for `runAsNonRoot`.
ARG USER_ID=65532
# OpenSSL for the Kafka client, and the certificate authorities that the client trusts by default.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libssl3t64 \
    && rm -rf /var/lib/apt/lists/*
RUN dpkg --purge --force-depends --force-remove-essential \
        apt debian-archive-keyring diffutils libapt-pkg7.0 libdb5.3t64 libsqlite3-0 libstdc++6 mount passwd perl-base \
        sqv util-linux \
    # The directories for volumes: the stubs' books, and the secrets. A new volume gets the owner of its directory.
    && install --directory --mode=0700 --owner=${USER_ID} --group=${USER_ID} /var/lib/food-ordering /etc/food-ordering
# COPY keeps the modes of the checkout, so `install` sets them. (`COPY --chmod` needs BuildKit.)
COPY LICENSE restate-setup.sh /tmp/
RUN install -D --mode=0644 --target-directory=/usr/share/doc/food-ordering /tmp/LICENSE \
    && install --mode=0755 --target-directory=/usr/local/bin /tmp/restate-setup.sh \
    && rm /tmp/LICENSE /tmp/restate-setup.sh

# The image of the test rig. It is not the last stage, so it is built only if it is named.
FROM scratch AS trials
ARG USER_ID=65532
COPY --from=debian / /
COPY --from=trials-binary /build/target/release/trials /usr/local/bin/
ENV PATH=/usr/local/bin:/usr/bin:/bin
WORKDIR /var/lib/food-ordering
USER ${USER_ID}:${USER_ID}
ENTRYPOINT ["trials"]
CMD ["--help"]

# Starts from an empty image, because files that a layer removes would still be in the layer below.
FROM scratch
ARG USER_ID=65532
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="food-ordering" \
      org.opencontainers.image.description="Order-processing middleware on Restate: every part of the system, by name" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=debian / /
COPY --from=web-ui /webui/dist /usr/share/food-ordering/webui
COPY --from=binary /build/sql/views /usr/share/food-ordering/views
COPY --from=binary /build/target/release/food-ordering /build/target/release/psql-gateway /usr/local/bin/
ENV PATH=/usr/local/bin:/usr/bin:/bin
# Each part listens on all addresses, because the container engine controls which clients can reach a container.
ENV FOOD_ORDERING_GATEWAY_LISTEN=0.0.0.0:3000 \
    FOOD_ORDERING_ORDER_SERVICES_LISTEN=0.0.0.0:9080 \
    FOOD_ORDERING_DRIVER_SIMULATOR_LISTEN=0.0.0.0:9081 \
    FOOD_ORDERING_RESTAURANT_POS_LISTEN=0.0.0.0:5050 \
    FOOD_ORDERING_PAYMENT_PROVIDER_LISTEN=0.0.0.0:5060 \
    PSQL_GATEWAY_LISTEN=0.0.0.0:9071 \
    PSQL_GATEWAY_VIEWS=/usr/share/food-ordering/views \
    FOOD_ORDERING_RESTAURANT_DATABASE=/var/lib/food-ordering/restaurant-pos.sqlite \
    FOOD_ORDERING_PAYMENT_DATABASE=/var/lib/food-ordering/payment-provider.sqlite \
    FOOD_ORDERING_WEB_UI=/usr/share/food-ordering/webui
EXPOSE 3000 5050 5060 9071 9080 9081
WORKDIR /var/lib/food-ordering
USER ${USER_ID}:${USER_ID}
ENTRYPOINT ["food-ordering"]
CMD ["--help"]
