// The front of stores that compute: it checks what is asked for against what is there. store_run.c computes.
#include "store.h"
#include "context.h"

#include <stdlib.h>
#include <string.h>

enum { LARGEST_SIDE = 2048 }; // of those chosen here: longer rows do not write faster, and more is lost when killed

static isg_status check(const isg_store_params *p, isg_error *error)
{
    if (!p || !p->gram)
        return isg_fail(error, ISG_ERR_ARGUMENT, "a store needs a path, and what its matrix is");
    const isg_gram_params *g = p->gram;
    if (g->x.mem || g->y.mem)
        return isg_fail(error, ISG_ERR_ARGUMENT, "a store needs its points in host memory");
    if (g->method != ISG_METHOD_CONTRACT)
        return isg_fail(error, ISG_ERR_ARGUMENT,
                        "a store is computed under the contract: other methods have no bits "
                        "that a later run could give again");
    if (g->allow_nonfinite)
        return isg_fail(error, ISG_ERR_ARGUMENT, "a store takes no NaN, whose bits are in no contract");
    if (p->layout != ISG_STORE_FULL && p->layout != ISG_STORE_TILES)
        return isg_fail(error, ISG_ERR_ARGUMENT, "an unknown layout");
    if (p->layout == ISG_STORE_TILES && (g->y.dtype != ISG_DTYPE_NONE || g->factors))
        return isg_fail(error, ISG_ERR_ARGUMENT, "only K(X, X), without factors, has a triangle that says it all");
    if (p->side && (p->side < ISG_LEAST_SIDE || p->side > ISG_MOST_SIDE || p->side % ISG_LEAST_SIDE != 0))
        return isg_fail(error, ISG_ERR_ARGUMENT, "tiles of side %lld; it is a multiple of %d from %d to %d",
                        (long long)p->side, ISG_LEAST_SIDE, ISG_LEAST_SIDE, ISG_MOST_SIDE);
    if (p->memory_bytes < 0)
        return isg_fail(error, ISG_ERR_ARGUMENT, "memory of %lld bytes", (long long)p->memory_bytes);
    if (p->parts < 0 || (p->parts > 0 && (p->part < 1 || p->part > p->parts)) ||
        (p->parts == 0 && (p->part || p->only)))
        return isg_fail(error, ISG_ERR_ARGUMENT, "part %lld of %lld", (long long)p->part, (long long)p->parts);
    return ISG_OK;
}

static isg_status make_gram(isg_store *store, const isg_store_params *p, isg_dtype *dtype)
{
    isg_gram_params g = *p->gram;
    isg_error *error = &store->context->error;
    g.progress = isg_store_between_launches;
    g.progress_user = store;
    isg_status st = isg_gram_create(store->context, &store->gram, &g);
    if (st)
        return st;
    isg_dtype own = isg_gram_dtype(store->gram);
    *dtype = p->dtype ? p->dtype : own;
    if (*dtype != own && !(*dtype == ISG_F16 && own == ISG_F32))
        return isg_fail(error, ISG_ERR_DTYPE, "a store of %s, and the operator is %s", isg_dtype_name(*dtype),
                        isg_dtype_name(own));
    return ISG_OK;
}

// The largest side whose buffers fit, or the one that is given.
static isg_status choose_side(isg_journal *j, int64_t given, int64_t memory, isg_error *error)
{
    int64_t most = isg_round_up(isg_min(isg_max(j->n, j->m), LARGEST_SIDE), ISG_LEAST_SIDE);
    int64_t side = given ? given : LARGEST_SIDE;
    while (!given && side > ISG_LEAST_SIDE && isg_store_run_bytes(j, isg_min(side, most)) > memory)
        side /= 2;
    side = given ? given : isg_min(side, most);
    if (isg_store_run_bytes(j, side) > memory)
        return isg_fail(error, ISG_ERR_ARGUMENT, "memory of %lld bytes; tiles of side %lld need %lld",
                        (long long)memory, (long long)side, (long long)isg_store_run_bytes(j, side));
    j->side = side;
    return ISG_OK;
}

// Strikes a tile whose bytes are not as recorded, unless somebody is at it.
static isg_status strike(isg_store *store, const isg_tile *tile, const char *what, isg_error *error)
{
    isg_record record = {.state = ISG_RECORD_EMPTY};
    if (isg_store_file_claim(&store->file, tile->index, false) != 1)
        return ISG_OK;
    isg_context_log(store->context, ISG_LOG_WARN, "%s: tile (%lld, %lld): %s; it will be computed again",
                    store->file.label, (long long)tile->i, (long long)tile->j, what);
    isg_status st = isg_store_file_set(&store->file, tile->index, &record, error);
    isg_store_file_release(&store->file, tile->index);
    store->struck++;
    return st;
}

static isg_status verify_all(isg_store *store, isg_error *error)
{
    isg_status st = ISG_OK;
    for (int64_t index = 0; index < store->file.journal.tiles && !st; index++) {
        isg_tile tile = isg_journal_tile(&store->file.journal, index);
        isg_record record;
        const char *what = NULL;
        st = isg_store_file_record(&store->file, index, &record, error);
        if (st || record.state == ISG_RECORD_EMPTY)
            continue;
        if (record.state == ISG_RECORD_DAMAGED)
            what = "its record is damaged";
        else
            st = isg_store_verify(store, &tile, &record, &what, error);
        if (!st && what)
            st = strike(store, &tile, what, error);
        isg_store_progress now = {.tiles = store->file.journal.tiles};
        if (!st && isg_store_ask(store, &now))
            st = isg_fail(error, ISG_ERR_CANCELLED, "cancelled");
    }
    free(store->block);
    store->block = NULL;
    return st;
}

static isg_status refuse(const isg_store *store, isg_error *error)
{
    int64_t recorded = 0;
    isg_store_file_count(&store->file, &recorded, NULL, NULL, NULL, NULL);
    return isg_store_file_fail(
        &store->file, error, ISG_ERR_ARGUMENT,
        "a store is there already, with %lld of %lld tiles: resume goes on with it; remove it and "
        "its journal to begin anew",
        (long long)recorded, (long long)store->file.journal.tiles);
}

// Finds the store or makes it; what it is of is `asked`.
static isg_status settle(isg_store *store, const isg_store_params *p, isg_journal *asked,
                         const char *const lines[ISG_LINE_COUNT])
{
    isg_error *error = &store->context->error;
    int64_t memory = p->memory_bytes ? p->memory_bytes : (int64_t)256 << 20;
    bool found;
    isg_status st = isg_store_file_find(&store->file, p->path, true, &found, error);
    if (st)
        return st;
    if (!found && p->repair)
        return isg_store_file_fail(&store->file, error, ISG_ERR_IO, "there is no store to repair: it has no journal");
    if (!found) {
        isg_journal made = *asked;
        if ((st = choose_side(&made, p->side, memory, error)))
            return st;
        const char *wrong = isg_journal_derive(&made);
        if (wrong)
            return isg_store_file_fail(&store->file, error, ISG_ERR_OVERFLOW, "%s", wrong);
        if ((st = isg_store_file_make(&store->file, &made, lines, &found, error)))
            return st;
    }
    if (found) {
        if (!p->resume && !p->repair)
            return refuse(store, error);
        isg_journal used = store->file.journal;
        if ((st = isg_store_compare(&store->file, asked, lines, error)) ||
            (st = choose_side(&used, used.side, memory, error)))
            return st;
    }
    st = isg_store_file_prepare(&store->file, p->repair, error);
    if (st || p->trust || !found)
        return st;
    store->verified = true;
    return verify_all(store, error);
}

bool isg_store_leave(isg_store *store)
{
    if (store->context->asking)
        return false;
    isg_gram_destroy(&store->gram);
    isg_context_drop(store->context);
    store->context = NULL;
    return true;
}

isg_status isg_store_create(isg_context *context, isg_store **out, const isg_store_params *params)
{
    if (out)
        *out = NULL;
    isg_status st = isg_context_enter(context);
    if (st)
        return st;
    isg_error *error = &context->error;
    if (!out)
        return isg_fail(error, ISG_ERR_ARGUMENT, "no place for the handle");
    st = check(params, error);
    if (st)
        return st;
    isg_store *store = calloc(1, sizeof *store);
    if (!store)
        return isg_fail(error, ISG_ERR_MEMORY, "no memory for a store");
    store->file.data = store->file.records = store->file.directory = -1;
    store->context = context;
    isg_context_hold(context);
    store->part = params->part;
    store->parts = params->parts;
    store->only = params->only != 0;
    store->progress = params->progress;
    store->progress_user = params->progress_user;
    isg_journal asked = {.layout = params->layout, .side = params->side};
    const char *lines[ISG_LINE_COUNT];
    char *texts[2] = {NULL, NULL};
    st = make_gram(store, params, &asked.dtype);
    if (!st)
        st = isg_store_inputs(&asked, lines, texts, store->gram, params, error);
    if (!st)
        st = settle(store, params, &asked, lines);
    free(texts[0]);
    free(texts[1]);
    if (st)
        isg_store_close(&store);
    *out = store;
    return st;
}
