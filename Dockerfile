# barsieve from this checkout, and a project that uses it:
#
#   docker build --tag barsieve .
#   docker run --rm barsieve                                    # dbt build, barsieve show
#   docker run --rm -v ~/market:/market:ro -e BARSIEVE_MARKET=/market barsieve
#
# A project of your own: docs/decisions/0038.
FROM python:3.11-slim AS wheel
WORKDIR /source
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.11-slim
COPY --from=wheel /wheels /wheels
COPY constraints.txt /wheels/
RUN pip install --no-cache-dir --constraint /wheels/constraints.txt \
    "$(echo /wheels/barsieve-*.whl)[ml,read]"
RUN useradd --create-home trader
USER trader
WORKDIR /home/trader
RUN barsieve init desk
WORKDIR /home/trader/desk
CMD ["sh", "-c", "dbt build && barsieve show"]
