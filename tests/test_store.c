// Stores: the calls of isogram/store.h. Their journal as bytes is test_journal.c's, what kills, faults and damage do to
// them test_cli_store.py's.
#include "device.h"

#include "store.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { N = 300, D = 5, SIDE = 64, TILES = 15 };

typedef struct place {
    isg_context *context;
    float *x;
    isg_gram_params gram;
    float *k; // all of K
} place;

static void place_open(place *p)
{
    suite_random random = suite_stream(3);
    unlink("k.npy");
    unlink("k.npy.journal");
    p->context = device_open(ISG_ARITHMETIC_AUTO, 0);
    ck_assert_ptr_nonnull(p->context);
    p->x = device_points(&random, ISG_F32, N * D, -1, 1);
    p->gram = (isg_gram_params){.x = isg_matrix_f32(p->x, N, D), .sigma = 1.5};
    p->k = device_expected(p->context, &p->gram);
}

static void place_close(place *p)
{
    isg_context_destroy(&p->context);
    free(p->x);
    free(p->k);
}

// Stops after so many tiles; -1: never.
static int stop_after(void *user, const isg_store_progress *progress)
{
    ck_assert_int_le(progress->recorded, progress->tiles);
    return *(int *)user >= 0 && progress->computed >= *(int *)user;
}

static isg_store *made(place *p, isg_store_params *params)
{
    isg_store *store;
    params->path = "k.npy";
    params->gram = &p->gram;
    params->side = SIDE;
    device_ok(p->context, isg_store_create(p->context, &store, params));
    return store;
}

// What is read is K, in every stride; what is not there is not read.
static void check_blocks(place *p, isg_store *reader, bool whole)
{
    suite_random random = suite_stream(4);
    isg_error error = {ISG_OK, ""};
    for (int i = 0; i < 200; i++) {
        int64_t row = random_below(&random, N), col = random_below(&random, N);
        int64_t rows = random_below(&random, N - row + 1), cols = random_below(&random, N - col + 1);
        float *block = device_guard(ISG_F32, 2 * (rows * cols + 1));
        bool flipped = i % 2; // columns first, rows backwards, with gaps
        isg_array out = {.dtype = ISG_F32, .ndim = 2, .shape = {rows, cols}, .strides = {cols, 1}, .data = block};
        if (flipped) {
            out.strides[0] = -2;
            out.strides[1] = 2 * rows;
            out.data = block + 2 * isg_max(rows - 1, 0);
        }
        isg_status st = isg_store_read(reader, row, col, out, &error);
        ck_assert_msg(st == ISG_OK || (!whole && st == ISG_ERR_INCOMPLETE), "%s", error.message);
        for (int64_t a = 0; a < rows && !st; a++)
            for (int64_t b = 0; b < cols; b++)
                ck_assert(((float *)out.data)[a * out.strides[0] + b * out.strides[1]] ==
                          p->k[(row + a) * N + col + b]);
        device_guard_free(block, ISG_F32, 2 * (rows * cols + 1));
    }
}

// Stopped again and again, read in between, and whole in the end.
START_TEST(in_pieces)
{
    for (isg_store_layout layout = ISG_STORE_FULL; layout <= ISG_STORE_TILES; layout++) {
        place p;
        place_open(&p);
        int most = 4;
        isg_store_params params = {.layout = layout, .progress = stop_after, .progress_user = &most, .resume = 1};
        for (int64_t before = 0, runs = 0; before < TILES; runs++) {
            isg_store *store = made(&p, &params), *reader;
            isg_store_report report;
            isg_status st = isg_store_compute(store, &report);
            ck_assert_int_eq(st, before + most <= TILES ? ISG_ERR_CANCELLED : ISG_OK);
            ck_assert_int_eq(report.progress.computed, isg_min(most, TILES - before));
            ck_assert_int_eq(report.progress.recorded, before + report.progress.computed);
            ck_assert_int_eq(report.struck, 0);
            before = report.progress.recorded;
            isg_store_info info;
            ck_assert_int_eq(isg_store_open(&reader, "k.npy", NULL), ISG_OK);
            ck_assert_int_eq(isg_store_describe(reader, &info, NULL), ISG_OK);
            ck_assert_int_eq(info.recorded, before);
            ck_assert_int_eq(info.synced, before);
            ck_assert_int_eq(info.tiles, TILES);
            ck_assert_str_eq(info.kernel, "rbf(sigma=1.5)");
            check_blocks(&p, reader, before == TILES);
            isg_store_close(&reader);
            isg_store_close(&store);
            ck_assert_int_lt(runs, TILES);
        }
        place_close(&p);
    }
}
END_TEST

// A tile that another handle has claimed is left to it; when that lets go, it is computed here.
START_TEST(claims)
{
    place p;
    place_open(&p);
    isg_store_params params = {.resume = 1, .part = 1, .parts = 1, .only = 1};
    isg_store *first = made(&p, &params), *second = made(&p, &params);
    isg_store_report report;
    ck_assert_int_eq(isg_store_file_claim(&first->file, 6, false), 1);
    ck_assert_int_eq(isg_store_file_claim(&second->file, 6, false), 0);
    device_ok(p.context, isg_store_compute(second, &report));
    ck_assert_int_eq(report.progress.recorded, TILES - 1);
    isg_store_close(&first); // and with it its claim
    device_ok(p.context, isg_store_compute(second, &report));
    ck_assert_int_eq(report.progress.recorded, TILES);
    ck_assert_int_eq(report.progress.computed, 1);
    check_blocks(&p, second, true);
    isg_store_close(&second);
    place_close(&p);
}
END_TEST

// A record that is not through to the disk is not believed by who reads without a look at the bytes.
START_TEST(readers_check_what_is_not_synced)
{
    place p;
    place_open(&p);
    isg_store_params params = {.resume = 1};
    isg_store *store = made(&p, &params), *reader;
    isg_record record;
    isg_error error = {ISG_OK, ""};
    float value = 0;
    device_ok(p.context, isg_store_compute(store, NULL));
    ck_assert_int_eq(isg_store_file_record(&store->file, 0, &record, NULL), ISG_OK);
    record.state = ISG_RECORD_WRITTEN;
    record.checksum.bytes[0] ^= 1;
    ck_assert_int_eq(isg_store_file_set(&store->file, 0, &record, NULL), ISG_OK);
    ck_assert_int_eq(isg_store_open(&reader, "k.npy", NULL), ISG_OK);
    ck_assert_int_eq(isg_store_read(reader, 3, 3, isg_matrix_f32(&value, 1, 1), &error), ISG_ERR_FORMAT);
    ck_assert_msg(strstr(error.message, "tile (0, 0)"), "%s", error.message);
    ck_assert_int_eq(isg_store_read(reader, 100, 3, isg_matrix_f32(&value, 1, 1), &error), ISG_OK);
    ck_assert(value == p.k[100 * N + 3]);
    int64_t faults;
    ck_assert_int_eq(isg_store_check(reader, NULL, NULL, &faults, NULL), ISG_OK);
    ck_assert_int_eq(faults, 1);
    isg_store_close(&reader);
    isg_store_close(&store);
    store = made(&p, &params); // strikes it
    isg_store_report report;
    device_ok(p.context, isg_store_compute(store, &report));
    ck_assert_int_eq(report.struck, 1);
    ck_assert_int_eq(report.progress.computed, 1);
    check_blocks(&p, store, true);
    isg_store_close(&store);
    place_close(&p);
}
END_TEST

// Overwrites bytes of a file with what they were not.
static void invert(const char *path, int64_t at, int64_t count)
{
    int file = open(path, O_RDWR);
    ck_assert_int_ge(file, 0);
    for (int64_t i = at; i < at + count; i++) {
        unsigned char byte;
        ck_assert_int_eq(pread(file, &byte, 1, (off_t)i), 1);
        byte = (unsigned char)~byte;
        ck_assert_int_eq(pwrite(file, &byte, 1, (off_t)i), 1);
    }
    close(file);
}

static void clear_files(void)
{
    unlink("k.npy");
    unlink("k.npy.journal");
}

static isg_status create_again(place *p, isg_store **store, isg_store_params *params)
{
    params->path = "k.npy";
    params->gram = &p->gram;
    return isg_store_create(p->context, store, params);
}

// A damaged tile is left alone while somebody else is at it, and counts as not there; then it is computed again.
START_TEST(damaged_while_claimed)
{
    place p;
    place_open(&p);
    isg_store_params params = {.resume = 1};
    isg_store *first = made(&p, &params), *second;
    isg_store_report report;
    isg_error error = {ISG_OK, ""};
    float value = 0;
    device_ok(p.context, isg_store_compute(first, NULL));
    invert("k.npy.journal", isg_record_offset(&first->file.journal, 6), ISG_RECORD_BYTES);
    ck_assert_int_eq(isg_store_file_claim(&first->file, 6, false), 1);
    second = made(&p, &params);
    ck_assert_int_eq(isg_store_read(second, 3 * SIDE, 0, isg_matrix_f32(&value, 1, 1), &error), ISG_ERR_INCOMPLETE);
    ck_assert_msg(strstr(error.message, "tile (3, 0) is not there yet") != NULL, "%s", error.message);
    isg_store_file_release(&first->file, 6);
    device_ok(p.context, isg_store_compute(second, &report));
    ck_assert_int_eq(report.struck, 0);
    ck_assert_int_eq(report.progress.computed, 1);
    check_blocks(&p, second, true);
    isg_store_close(&second);
    isg_store_close(&first);
    place_close(&p);
}
END_TEST

static void nothing(int number)
{
    (void)number;
}

typedef struct waiter {
    isg_store *first;
    isg_record record; // of tile 6
    bool there;
    int calls, stop_at;
} waiter;

// Asked when a signal has ended the wait for a tile: the one that had claimed it records it, or lets it go.
static int wait_is_over(void *user, const isg_store_progress *progress)
{
    waiter *w = user;
    (void)progress;
    if (++w->calls == w->stop_at)
        return 1;
    if (w->calls == 3 && w->there)
        ck_assert_int_eq(isg_store_file_set(&w->first->file, 6, &w->record, NULL), ISG_OK);
    if (w->calls == 3)
        isg_store_file_release(&w->first->file, 6);
    return 0;
}

// Who waits for another's tile asks on every signal whether to stop. What is there when the wait is over is not
// computed once more.
START_TEST(waits_for_others)
{
    static const struct {
        bool there, another; // another: the last tile is to be computed, too, and is, before this waits
        int stop_at;
        isg_status status;
        int64_t computed, recorded;
    } cases[] = {{false, false, 2, ISG_ERR_CANCELLED, 0, TILES - 1},
                 {true, false, 0, ISG_OK, 0, TILES},
                 {false, false, 0, ISG_OK, 1, TILES},
                 {false, true, 0, ISG_OK, 2, TILES}};
    place p;
    place_open(&p);
    isg_store_params params = {.resume = 1};
    waiter w = {.first = made(&p, &params)};
    device_ok(p.context, isg_store_compute(w.first, NULL));
    ck_assert_int_eq(isg_store_file_record(&w.first->file, 6, &w.record, NULL), ISG_OK);
    struct sigaction kept, action = {.sa_handler = nothing}; // without SA_RESTART
    ck_assert_int_eq(sigaction(SIGALRM, &action, &kept), 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        isg_store_report report;
        ck_assert_int_eq(isg_store_file_set(&w.first->file, 6, &(isg_record){.state = ISG_RECORD_EMPTY}, NULL), ISG_OK);
        if (cases[i].another)
            ck_assert_int_eq(
                isg_store_file_set(&w.first->file, TILES - 1, &(isg_record){.state = ISG_RECORD_EMPTY}, NULL), ISG_OK);
        ck_assert_int_eq(isg_store_file_claim(&w.first->file, 6, false), 1);
        isg_store *second = made(&p, &params);
        second->progress = wait_is_over; // not of what is asked while records are checked
        second->progress_user = &w;
        w.there = cases[i].there;
        w.stop_at = cases[i].stop_at;
        w.calls = 0;
        const struct itimerval often = {{0, 10000}, {0, 10000}}, never = {{0, 0}, {0, 0}};
        setitimer(ITIMER_REAL, &often, NULL);
        isg_status st = isg_store_compute(second, &report);
        setitimer(ITIMER_REAL, &never, NULL);
        ck_assert_msg(st == cases[i].status, "%d: %s", (int)i, isg_context_error(p.context)->message);
        ck_assert_int_eq(report.progress.computed, cases[i].computed);
        ck_assert_int_eq(report.progress.recorded, cases[i].recorded);
        ck_assert_int_gt(w.calls, 1);
        isg_store_file_release(&w.first->file, 6);
        if (st == ISG_OK)
            check_blocks(&p, second, true);
        isg_store_close(&second);
    }
    sigaction(SIGALRM, &kept, NULL);
    isg_store_close(&w.first);
    place_close(&p);
}
END_TEST

// ---- Functions of the caller's ----

typedef struct caller {
    isg_store *store;
    isg_context *context;
    int64_t calls, stop_at, wrong;
} caller;

static int stop_at_call(void *user, const isg_store_progress *progress)
{
    caller *c = user;
    (void)progress;
    return ++c->calls == c->stop_at;
}

// Stopped at each call of the function in turn: while records are checked, within a tile, and between two.
START_TEST(stopped_at_any_call)
{
    place p;
    place_open(&p);
    enum { SOME = 200, WIDE = 128 }; // tiles whose last rows are computed apart
    p.gram.x.shape[0] = SOME;
    for (isg_store_layout layout = ISG_STORE_FULL; layout <= ISG_STORE_TILES; layout++) {
        clear_files();
        isg_status st = ISG_ERR_CANCELLED;
        for (int64_t stop_at = 1; st != ISG_OK; stop_at++) {
            caller c = {.stop_at = stop_at};
            isg_store *store;
            st = create_again(
                &p, &store,
                &(isg_store_params){
                    .resume = 1, .layout = layout, .side = WIDE, .progress = stop_at_call, .progress_user = &c});
            ck_assert_int_eq(store != NULL, st == ISG_OK);
            if (store)
                st = isg_store_compute(store, NULL);
            ck_assert_int_eq(st, c.calls == stop_at ? ISG_ERR_CANCELLED : ISG_OK);
            isg_store_close(&store);
            ck_assert_int_lt(stop_at, 200);
        }
        // Now that all is there, while it is checked.
        caller c = {.stop_at = 2};
        isg_store *reader;
        isg_store_params params = {.resume = 1, .layout = layout, .progress = stop_at_call, .progress_user = &c};
        ck_assert_int_eq(create_again(&p, &reader, &params), ISG_ERR_CANCELLED);
        ck_assert(!reader && c.calls == 2);
        float *got = malloc(SOME * SOME * sizeof *got);
        ck_assert_int_eq(isg_store_open(&reader, "k.npy", NULL), ISG_OK);
        ck_assert_int_eq(isg_store_read(reader, 0, 0, isg_matrix_f32(got, SOME, SOME), NULL), ISG_OK);
        for (int i = 0; i < SOME; i++)
            ck_assert_mem_eq(got + (size_t)(i * SOME), p.k + (size_t)(i * N), SOME * sizeof *got);
        free(got);
        isg_store_close(&reader);
    }
    place_close(&p);
}
END_TEST

static int call_back(void *user, const isg_store_progress *progress)
{
    caller *c = user;
    isg_store *kept = c->store, *other;
    (void)progress;
    c->calls++;
    c->wrong += isg_store_compute(c->store, NULL) != ISG_ERR_ARGUMENT;
    c->wrong += isg_store_create(c->context, &other, isg_store_params(.path = "k.npy")) != ISG_ERR_ARGUMENT || other;
    isg_store_close(&c->store);
    c->wrong += c->store != kept;
    return 0;
}

// What the function calls on the same store or context is refused, and closes nothing.
START_TEST(functions_that_call_back)
{
    place p;
    place_open(&p);
    caller c = {.context = p.context};
    isg_store_params params = {.progress = call_back, .progress_user = &c};
    c.store = made(&p, &params);
    device_ok(p.context, isg_store_compute(c.store, NULL));
    ck_assert_int_gt(c.calls, 0);
    ck_assert_int_eq(c.wrong, 0);
    check_blocks(&p, c.store, true);
    isg_store_close(&c.store);
    ck_assert_ptr_null(c.store);
    place_close(&p);
}
END_TEST

// ---- Files ----

static char told[200];

static int stop_at_fault(void *user, const isg_store_fault *fault)
{
    *(isg_store_fault *)user = *fault;
    snprintf(told, sizeof told, "%s", fault->what); // which lives as long as this call
    return 1;
}

// Checks k.npy; the first fault has these words and lies in this tile.
static void check_fault(int64_t row, int64_t col, const char *words)
{
    isg_store *reader;
    isg_store_fault first = {-2, -2, NULL};
    isg_error error = {ISG_OK, ""};
    int64_t faults = -1, all = -1;
    ck_assert_msg(isg_store_open(&reader, "k.npy", &error) == ISG_OK, "%s", error.message);
    ck_assert_int_eq(isg_store_check(reader, stop_at_fault, &first, &faults, &error), ISG_OK);
    ck_assert_int_eq(faults, 1);
    ck_assert_int_eq(first.row, row);
    ck_assert_int_eq(first.col, col);
    ck_assert_msg(strstr(told, words) != NULL, "%s", told);
    ck_assert_int_eq(isg_store_check(reader, NULL, NULL, &all, &error), ISG_OK);
    ck_assert_int_ge(all, 1);
    isg_store_close(&reader);
}

// A file that is gone, or a journal that loses its end while it is read: told, and nothing is read.
START_TEST(lost_files)
{
    place p;
    place_open(&p);
    isg_store_params params = {.resume = 1};
    isg_store *store = made(&p, &params), *reader;
    isg_store_info info;
    isg_error error = {ISG_OK, ""};
    float value = 0;
    const isg_array one = isg_matrix_f32(&value, 1, 1);
    device_ok(p.context, isg_store_compute(store, NULL));
    ck_assert_int_eq(isg_store_describe(store, NULL, &error), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(isg_store_check(store, NULL, NULL, NULL, &error), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(isg_store_open(&reader, "k.npy", NULL), ISG_OK);
    ck_assert_int_eq(truncate("k.npy.journal", (off_t)isg_record_offset(&store->file.journal, 9) + 5), 0);
    ck_assert_int_eq(isg_store_describe(reader, &info, &error), ISG_OK);
    ck_assert_int_eq(info.recorded, 9);
    ck_assert_int_eq(info.damaged, TILES - 9);
    ck_assert_int_eq(isg_store_read(reader, N - 1, N - 1, one, &error), ISG_ERR_INCOMPLETE);
    ck_assert_int_eq(isg_store_read(reader, 0, 0, one, &error), ISG_OK);
    ck_assert(value == p.k[0]);
    isg_store_close(&reader);
    isg_store_close(&store);
    check_fault(-1, -1, "its journal is cut short");

    clear_files();
    store = made(&p, &params);
    device_ok(p.context, isg_store_compute(store, NULL));
    isg_store_close(&store);
    ck_assert_int_eq(unlink("k.npy"), 0);
    check_fault(-1, -1, "there is a journal, and no file");
    ck_assert_int_eq(isg_store_open(&reader, "k.npy", NULL), ISG_OK);
    ck_assert_int_eq(isg_store_read(reader, 0, 0, one, &error), ISG_ERR_INCOMPLETE);
    ck_assert_msg(strstr(error.message, "the file is not there yet") != NULL, "%s", error.message);
    isg_store_close(&reader);
    place_close(&p);
}
END_TEST

// A store of which nothing is recorded goes on with what an interrupted beginning leaves, and with nothing else.
START_TEST(beginnings)
{
    static const struct {
        bool there;
        int64_t bytes, damaged; // of the file, -1: all; this byte, -1: none
        bool zeros;             // in the place of its header
        bool taken;
    } cases[] = {{false, 0, -1, false, true}, {true, 0, -1, false, true},  {true, -1, -1, false, true},
                 {true, -1, -1, true, true},  {true, -1, 3, false, false}, {true, 100, -1, false, false}};
    place p;
    place_open(&p);
    isg_store_params params = {.resume = 1, .side = SIDE};
    for (size_t i = 0; i < COUNT(cases); i++) {
        isg_store *store = made(&p, &params);
        isg_store_close(&store);
        if (!cases[i].there)
            ck_assert_int_eq(unlink("k.npy"), 0);
        else if (cases[i].bytes >= 0)
            ck_assert_int_eq(truncate("k.npy", (off_t)cases[i].bytes), 0);
        if (cases[i].zeros) {
            const char none[100] = {0};
            int file = open("k.npy", O_WRONLY);
            ck_assert_int_eq(pwrite(file, none, sizeof none, 0), sizeof none);
            close(file);
        }
        if (cases[i].damaged >= 0)
            invert("k.npy", cases[i].damaged, 1);
        isg_status st = create_again(&p, &store, &params);
        ck_assert_msg(st == (cases[i].taken ? ISG_OK : ISG_ERR_FORMAT), "%d: %s", (int)i,
                      isg_context_error(p.context)->message);
        if (!cases[i].taken) {
            const char *message = isg_context_error(p.context)->message;
            ck_assert_msg(strstr(message, "not the file of its journal") != NULL, "%s", message);
            isg_store_params repair = {.repair = 1, .side = SIDE};
            device_ok(p.context, create_again(&p, &store, &repair));
        }
        device_ok(p.context, isg_store_compute(store, NULL));
        check_blocks(&p, store, true);
        isg_store_close(&store);
        clear_files();
    }
    place_close(&p);
}
END_TEST

// More tiles than may be on their way to the disk at once.
START_TEST(many_tiles)
{
    enum { MANY = 2944, ACROSS = MANY / SIDE };
    place p;
    place_open(&p);
    float *x = calloc(MANY, sizeof *x), *got = malloc(MANY * sizeof *got), *want = malloc(MANY * sizeof *want);
    for (int i = 0; i < MANY; i++)
        x[i] = (float)(i % 257) / 64;
    p.gram.x = isg_matrix_f32(x, MANY, 1);
    isg_store_params params = {.resume = 0};
    isg_store *store = made(&p, &params);
    isg_store_report report;
    isg_gram *gram;
    device_ok(p.context, isg_store_compute(store, &report));
    ck_assert_int_eq(report.progress.recorded, ACROSS * (ACROSS + 1) / 2);
    device_ok(p.context, isg_gram_create(p.context, &gram, &p.gram));
    for (int64_t row = 5; row < MANY; row += 613) {
        ck_assert_int_eq(isg_store_read(store, row, 0, isg_matrix_f32(got, 1, MANY), NULL), ISG_OK);
        device_ok(p.context, isg_gram_tile(gram, row, 0, isg_matrix_f32(want, 1, MANY)));
        ck_assert_mem_eq(got, want, MANY * sizeof *got);
    }
    isg_gram_destroy(&gram);
    isg_store_close(&store);
    free(x);
    free(got);
    free(want);
    place_close(&p);
}
END_TEST

static int wait_for_the_disk(void *user, const isg_store_progress *progress)
{
    isg_store_info info = {.synced = 0};
    *(bool *)user |= progress->computed > 0;
    for (int i = 0; i < 6000 && *(bool *)user && info.synced == 0; i++) {
        isg_store *reader;
        usleep(10000);
        ck_assert_int_eq(isg_store_open(&reader, "k.npy", NULL), ISG_OK);
        ck_assert_int_eq(isg_store_describe(reader, &info, NULL), ISG_OK);
        isg_store_close(&reader);
    }
    return info.synced > 0;
}

// A tile comes to the disk some seconds after it was written, though nothing else happens meanwhile.
START_TEST(through_to_the_disk)
{
    place p;
    place_open(&p);
    bool computed = false;
    isg_store_params params = {.progress = wait_for_the_disk, .progress_user = &computed};
    isg_store *store = made(&p, &params);
    ck_assert_int_eq(isg_store_compute(store, NULL), ISG_ERR_CANCELLED); // by the function, which has seen it
    isg_store_close(&store);
    place_close(&p);
}
END_TEST

// The same points by other strides are the same store.
START_TEST(strides_of_points)
{
    place p;
    place_open(&p);
    isg_store_params params = {.resume = 1};
    isg_store *store = made(&p, &params);
    isg_store_close(&store);
    float *by_column = malloc(N * D * sizeof *by_column);
    for (int i = 0; i < N; i++)
        for (int k = 0; k < D; k++)
            by_column[k * N + i] = p.x[i * D + k];
    p.gram.x.data = by_column;
    p.gram.x.strides[0] = 1;
    p.gram.x.strides[1] = N;
    store = made(&p, &params);
    device_ok(p.context, isg_store_compute(store, NULL));
    check_blocks(&p, store, true);
    isg_store_close(&store);
    by_column[3 * N + 7] += 1;
    ck_assert_int_eq(create_again(&p, &store, &params), ISG_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(isg_context_error(p.context)->message, "content of X"));
    free(by_column);
    place_close(&p);
}
END_TEST

// In every element type and layout, with the mirror images of tiles; read in blocks from either side of the diagonal.
START_TEST(types_and_layouts)
{
    place p;
    place_open(&p);
    static const struct {
        isg_precision precision;
        isg_dtype dtype;
    } types[] = {{ISG_PRECISION_F64, ISG_F64}, {ISG_PRECISION_F32, ISG_F16}, {ISG_PRECISION_F32, ISG_F32}};
    isg_error error = {ISG_OK, ""};
    for (size_t t = 0; t < COUNT(types); t++) {
        if (types[t].dtype == ISG_F64 && isg_context_device(p.context)->lanes_f64 == 0)
            continue;
        const size_t element = isg_dtype_bytes(types[t].dtype);
        p.gram.precision = types[t].precision;
        isg_gram *gram;
        char *want = malloc(N * N * element), *got = malloc(N * N * element);
        device_ok(p.context, isg_gram_create(p.context, &gram, &p.gram));
        device_ok(p.context, isg_gram_dense(gram, isg_matrix(types[t].dtype, want, N, N)));
        isg_gram_destroy(&gram);
        for (int layout = ISG_STORE_FULL; layout <= ISG_STORE_TILES; layout++) {
            isg_store_params params = {.resume = 1, .dtype = types[t].dtype, .layout = (isg_store_layout)layout};
            unlink("k.npy");
            unlink("k.npy.journal");
            isg_store *store = made(&p, &params);
            device_ok(p.context, isg_store_compute(store, NULL));
            ck_assert_msg(isg_store_read(store, 0, 0, isg_matrix(types[t].dtype, got, N, N), &error) == ISG_OK, "%s",
                          error.message);
            ck_assert_msg(memcmp(got, want, N * N * element) == 0, "%s, layout %d", isg_dtype_name(types[t].dtype),
                          layout);
            ck_assert_int_eq(isg_store_read(store, 3, N - 5, isg_matrix(types[t].dtype, got, 7, 5), &error), ISG_OK);
            for (int i = 0; i < 7; i++)
                ck_assert_mem_eq(got + (size_t)(5 * i) * element, want + (size_t)((3 + i) * N + N - 5) * element,
                                 5 * element);
            ck_assert_int_eq(isg_store_read(store, 3, 3, isg_matrix(types[t].dtype, NULL, 0, 5), &error), ISG_OK);
            isg_store_close(&store);
            if (layout == ISG_STORE_FULL) { // the mirror is held against the tile, not only against its checksum
                int64_t faults;
                ck_assert_int_eq(isg_store_open(&store, "k.npy", &error), ISG_OK);
                ck_assert_int_eq(isg_store_check(store, NULL, NULL, &faults, &error), ISG_OK);
                ck_assert_int_eq(faults, 0);
                const int64_t at = store->file.journal.data_offset;
                isg_store_close(&store);
                invert("k.npy", at + (3 * N + 3 * SIDE + 1) * (int64_t)element, 1);
                check_fault(3, 0, "its mirror above the diagonal is not its transpose");
            }
        }
        free(want);
        free(got);
    }
    place_close(&p);
}
END_TEST

START_TEST(refusals)
{
    place p;
    place_open(&p);
    isg_store *store;
    isg_gram_params fast = p.gram, lenient = p.gram, two = p.gram, nothing = p.gram, buffer = p.gram;
    isg_gram_params y_buffer = p.gram, cross = p.gram;
    double factors[N] = {1};
    char long_path[1000] = "";
    while (strlen(long_path) < 900)
        strcat(long_path, "no/");
    strcat(long_path, "k.npy");
    cross.y = y_buffer.y = p.gram.x;
    y_buffer.y.mem = &buffer;
    fast.method = ISG_METHOD_FAST;
    lenient.allow_nonfinite = 1;
    two.factors = factors;
    nothing.x.shape[0] = 0;
    buffer.x.mem = &buffer;
    const struct {
        isg_store_params params;
        isg_status status;
        const char *words;
    } rows[] = {
        {{.path = "k.npy"}, ISG_ERR_ARGUMENT, "what its matrix is"},
        {{.gram = &p.gram}, ISG_ERR_ARGUMENT, "file name"},
        {{.path = "", .gram = &p.gram}, ISG_ERR_ARGUMENT, "file name"},
        {{.path = "-", .gram = &p.gram}, ISG_ERR_ARGUMENT, "standard output"},
        {{.path = "./", .gram = &p.gram}, ISG_ERR_ARGUMENT, "./: names a directory"},
        {{.path = long_path, .gram = &p.gram}, ISG_ERR_IO, "/no/no/k.npy: its directory: "},
        {{.path = "k.npy", .gram = &fast}, ISG_ERR_ARGUMENT, "contract"},
        {{.path = "k.npy", .gram = &lenient}, ISG_ERR_ARGUMENT, "NaN"},
        {{.path = "k.npy", .gram = &buffer}, ISG_ERR_ARGUMENT, "host memory"},
        {{.path = "k.npy", .gram = &two, .layout = ISG_STORE_TILES}, ISG_ERR_ARGUMENT, "K(X, X)"},
        {{.path = "k.npy", .gram = &p.gram, .layout = 5}, ISG_ERR_ARGUMENT, "layout"},
        {{.path = "k.npy", .gram = &nothing}, ISG_ERR_SHAPE, ""},
        {{.path = "k.npy", .gram = &p.gram, .dtype = ISG_F64}, ISG_ERR_DTYPE, "float64"},
        {{.path = "k.npy", .gram = &p.gram, .dtype = ISG_U8}, ISG_ERR_DTYPE, "uint8"},
        {{.path = "k.npy", .gram = &y_buffer}, ISG_ERR_ARGUMENT, "host memory"},
        {{.path = "k.npy", .gram = &cross, .layout = ISG_STORE_TILES}, ISG_ERR_ARGUMENT, "K(X, X)"},
        {{.path = "k.npy", .gram = &p.gram, .side = 65}, ISG_ERR_ARGUMENT, "65"},
        {{.path = "k.npy", .gram = &p.gram, .side = -64}, ISG_ERR_ARGUMENT, "tiles of side -64"},
        {{.path = "k.npy", .gram = &p.gram, .side = 16448}, ISG_ERR_ARGUMENT, "tiles of side 16448"},
        {{.path = "k.npy", .gram = &p.gram, .parts = -1}, ISG_ERR_ARGUMENT, "part 0 of -1"},
        {{.path = "k.npy", .gram = &p.gram, .parts = 2}, ISG_ERR_ARGUMENT, "part 0 of 2"},
        {{.path = "k.npy", .gram = &p.gram, .part = 1}, ISG_ERR_ARGUMENT, "part 1 of 0"},
        {{.path = "k.npy", .gram = &p.gram, .memory_bytes = -1}, ISG_ERR_ARGUMENT, "memory"},
        {{.path = "k.npy", .gram = &p.gram, .memory_bytes = 5000}, ISG_ERR_ARGUMENT, "memory"},
        {{.path = "k.npy", .gram = &p.gram, .part = 3, .parts = 2}, ISG_ERR_ARGUMENT, "part 3 of 2"},
        {{.path = "k.npy", .gram = &p.gram, .only = 1}, ISG_ERR_ARGUMENT, "part"},
        {{.path = "k.npy", .gram = &p.gram, .repair = 1}, ISG_ERR_IO, "no store"},
        {{.path = "no/k.npy", .gram = &p.gram}, ISG_ERR_IO, "no/k.npy"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *message = isg_context_error(p.context)->message;
        ck_assert_int_eq(isg_store_create(p.context, &store, &rows[i].params), rows[i].status);
        ck_assert_ptr_null(store);
        ck_assert_msg(strstr(message, rows[i].words), "%d: %s", (int)i, message);
        ck_assert_msg(access("k.npy", F_OK) && access("k.npy.journal", F_OK), "%d leaves something", (int)i);
    }
    if (isg_context_device(p.context)->lanes_f64 > 0) {
        isg_gram_params wide = p.gram;
        wide.precision = ISG_PRECISION_F64;
        isg_store_params half = {.path = "k.npy", .gram = &wide, .dtype = ISG_F16};
        ck_assert_int_eq(isg_store_create(p.context, &store, &half), ISG_ERR_DTYPE);
        ck_assert_ptr_nonnull(
            strstr(isg_context_error(p.context)->message, "a store of float16, and the operator is float64"));
    }
    isg_error error;
    ck_assert_int_eq(isg_store_open(&store, "k.npy", &error), ISG_ERR_IO);
    ck_assert_ptr_null(store);
    isg_store_params params = {.resume = 0};
    store = made(&p, &params);
    float value[4];
    const isg_array good = isg_matrix_f32(value, 2, 2);
    ck_assert_int_eq(isg_store_read(store, 0, 0, good, &error), ISG_ERR_INCOMPLETE);
    ck_assert_int_eq(isg_store_read(store, N - 1, 0, good, &error), ISG_ERR_SHAPE);
    ck_assert_int_eq(isg_store_read(store, -1, 0, good, &error), ISG_ERR_SHAPE);
    ck_assert_int_eq(isg_store_read(store, 0, INT64_MAX, good, &error), ISG_ERR_SHAPE);
    ck_assert_int_eq(isg_store_read(store, 0, -1, good, &error), ISG_ERR_SHAPE);
    ck_assert_int_eq(isg_store_read(store, 0, 0, isg_matrix_f32(value, -1, 2), &error), ISG_ERR_SHAPE);
    ck_assert_int_eq(isg_store_read(store, 0, 0, isg_matrix_f32(value, 2, -1), &error), ISG_ERR_SHAPE);
    ck_assert_int_eq(isg_store_read(store, 0, 0, isg_matrix(ISG_F64, value, 1, 1), &error), ISG_ERR_DTYPE);
    ck_assert_int_eq(isg_store_read(store, 0, 0, isg_vector(ISG_F32, value, 4), &error), ISG_ERR_SHAPE);
    ck_assert_int_eq(isg_store_read(store, 0, 0, isg_matrix_f32(NULL, 2, 2), &error), ISG_ERR_SHAPE);
    ck_assert_int_eq(isg_store_read(store, 0, 0, isg_matrix_f32(NULL, 5, 0), &error), ISG_OK);
    isg_array far = good;
    far.strides[0] = INT64_MAX / 2;
    ck_assert_int_eq(isg_store_read(store, 0, 0, far, &error), ISG_ERR_OVERFLOW);
    isg_array of_device = good;
    of_device.mem = &buffer;
    ck_assert_int_eq(isg_store_read(store, 0, 0, of_device, &error), ISG_ERR_SHAPE);
    ck_assert_int_eq(isg_store_open(NULL, "k.npy", &error), ISG_ERR_ARGUMENT);
    ck_assert_int_eq(isg_store_create(p.context, &(isg_store *){NULL}, NULL), ISG_ERR_ARGUMENT);
    isg_store *again, *reader;
    ck_assert_int_eq(
        isg_store_create(p.context, &again, isg_store_params(.path = "k.npy", .gram = &p.gram, .side = SIDE)),
        ISG_ERR_ARGUMENT);
    ck_assert_ptr_null(again);
    ck_assert_int_eq(
        isg_store_create(p.context, &again,
                         isg_store_params(.path = "k.npy", .gram = &p.gram, .resume = 1, .memory_bytes = 5000)),
        ISG_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(isg_context_error(p.context)->message, "memory of 5000 bytes; tiles of side 64"));
    ck_assert_int_eq(isg_store_open(&reader, "k.npy", NULL), ISG_OK);
    ck_assert_int_eq(isg_store_compute(reader, NULL), ISG_ERR_ARGUMENT);
    isg_store_close(&reader);
    isg_store_close(&store);
    isg_store_close(&store);
    isg_store_close(NULL);
    place_close(&p);
}
END_TEST

int main(void)
{
    char folder[] = "/tmp/isogram-store-XXXXXX";
    const TTest *const tests[] = {in_pieces,
                                  claims,
                                  readers_check_what_is_not_synced,
                                  damaged_while_claimed,
                                  waits_for_others,
                                  stopped_at_any_call,
                                  functions_that_call_back,
                                  lost_files,
                                  beginnings,
                                  many_tiles,
                                  through_to_the_disk,
                                  strides_of_points,
                                  types_and_layouts,
                                  refusals};
    if (!mkdtemp(folder) || chdir(folder) != 0)
        return EXIT_FAILURE;
    int code = suite_run(suite_of("store", tests, COUNT(tests)));
    unlink("k.npy");
    unlink("k.npy.journal");
    return chdir("/") != 0 || rmdir(folder) != 0 ? EXIT_FAILURE : code;
}
