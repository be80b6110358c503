# One image for every part of the system: `docker build --tag food-ordering .`, or `docker compose build`. What puts load on it, and
# kills its processes in tests, is another image of the same build: `docker build --target trials --tag food-ordering-trials .`.
#
# It is written for the classic builder as well as for BuildKit: engines before 23, and those without buildx, have nothing else.
# So there are no cache mounts; cargo-chef puts the dependencies into a layer of their own, which is built anew only when
# Cargo.toml or Cargo.lock changes.

# As in rust-toolchain.toml; a test compares the two.
ARG RUST_VERSION=1.95.0
ARG NODE_VERSION=24
ARG DEBIAN=trixie

# The web UI.
FROM node:${NODE_VERSION}-${DEBIAN}-slim AS web-ui
WORKDIR /webui
COPY webui/package.json webui/package-lock.json ./
# Not `npm ci`: xtask/src/node.rs says why.
RUN npm install --no-save --no-audit --no-fund --loglevel=error
COPY webui ./
# Files in `public` keep the modes of the checkout, which nobody but its owner may be able to read (umask 077).
RUN npm run --silent build && chmod --recursive u=rwX,go=rX dist

# What the binaries are built with: compilers and make for the Kafka client and SQLite, OpenSSL for the Kafka client's TLS.
FROM rust:${RUST_VERSION}-slim-${DEBIAN} AS rust
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ libssl-dev make pkg-config \
    && rm -rf /var/lib/apt/lists/* \
    && cargo install cargo-chef --locked --version 0.1.78 \
    && rm -rf "$CARGO_HOME/registry"
WORKDIR /build

# What the dependencies are, and nothing else: the same file whatever else has changed in the sources.
FROM rust AS recipe
COPY . .
RUN cargo chef prepare --recipe-path recipe.json

FROM rust AS binary
COPY --from=recipe /build/recipe.json ./
RUN cargo chef cook --locked --release --package food-ordering --package psql-gateway --package trials --recipe-path recipe.json
COPY Cargo.toml Cargo.lock ./
COPY .cargo .cargo
# Of these only what they are called: the dependencies' layer has stand-ins for their sources.
COPY xtask/Cargo.toml xtask/
COPY tests/Cargo.toml tests/
COPY crates crates
# The views for SQL: psql-gateway reads them, and food-ordering contains them.
COPY sql sql
# All packages each time, as above: with only some of them Cargo enables other features, and compiles a tenth of the dependencies again.
RUN cargo build --locked --release --package food-ordering --package psql-gateway --package trials --bin food-ordering --bin psql-gateway \
    # The files have the modes of the checkout.
    && chmod --recursive u=rwX,go=rX sql

# The test rig, of the same build. Linking it takes minutes, so it has a stage that BuildKit leaves out where nobody wants it.
FROM binary AS trials-binary
RUN cargo build --locked --release --package food-ordering --package psql-gateway --package trials --bin trials

# Debian without its package manager, and without what only that needs: a third less. bash stays, for restate-setup.sh and for
# people; dpkg too, so that scanners see which packages there are.
FROM debian:${DEBIAN}-slim AS debian
# The numbers by which nobody is known on most machines; Kubernetes wants to see a number.
ARG USER_ID=65532
# OpenSSL for the Kafka client, and the authorities that it trusts unless told otherwise.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libssl3t64 \
    && rm -rf /var/lib/apt/lists/*
RUN dpkg --purge --force-depends --force-remove-essential \
        apt debian-archive-keyring diffutils libapt-pkg7.0 libdb5.3t64 libsqlite3-0 libstdc++6 mount passwd perl-base \
        sqv util-linux \
    # Where volumes belong: the stubs' books, and the secrets. A new volume takes over the owner.
    && install --directory --mode=0700 --owner=${USER_ID} --group=${USER_ID} /var/lib/food-ordering /etc/food-ordering
# COPY takes modes over from the checkout, so they are set here. (`COPY --chmod` needs BuildKit.)
COPY LICENSE restate-setup.sh /tmp/
RUN install -D --mode=0644 --target-directory=/usr/share/doc/food-ordering /tmp/LICENSE \
    && install --mode=0755 --target-directory=/usr/local/bin /tmp/restate-setup.sh \
    && rm /tmp/LICENSE /tmp/restate-setup.sh

# The test rig: not the last stage, so it is built where its name is given.
FROM scratch AS trials
ARG USER_ID=65532
COPY --from=debian / /
COPY --from=trials-binary /build/target/release/trials /usr/local/bin/
ENV PATH=/usr/local/bin:/usr/bin:/bin
WORKDIR /var/lib/food-ordering
USER ${USER_ID}:${USER_ID}
ENTRYPOINT ["trials"]
CMD ["--help"]

# From nothing, as what a layer removes stays in the layer below.
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
# In a container only those whom the container lets in come by, so each part listens to all.
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
