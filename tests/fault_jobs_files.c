// Jobs of files: arrays, and stores, which are left as a failure leaves them: the next run goes on with them.
#include "fault_jobs.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// ---- Arrays ----

static isg_status npy_written(isg_context *context, isg_error *error)
{
    (void)context;
    isg_npy *file = (isg_npy *)&file;
    isg_status st = isg_npy_create(&file, "./a.npy", ISG_F32, 2, (int64_t[]){FAULT_ROWS, FAULT_DIMS}, error);
    if ((file != NULL) != (st == ISG_OK))
        return fault_broken(error, "a handle beside a failure, or none beside success");
    if (!st) {
        memcpy(isg_npy_array(file)->data, fault_x, sizeof fault_x);
        st = isg_npy_commit(&file, error);
    }
    if (st && access("a.npy", F_OK) == 0)
        st = fault_broken(error, "a file of work that failed");
    return st ? st : unlink("a.npy") ? fault_broken(error, "no file of work that was done") : ISG_OK;
}

// Puts a file there that jobs read, once.
static bool put_file(const char *name)
{
    isg_npy *file = NULL;
    if (access(name, F_OK) == 0)
        return true;
    if (isg_npy_create(&file, name, ISG_F32, 2, (int64_t[]){FAULT_ROWS, FAULT_DIMS}, NULL))
        return false;
    memcpy(isg_npy_array(file)->data, fault_x, sizeof fault_x);
    return isg_npy_commit(&file, NULL) == ISG_OK;
}

static isg_status npy_read(isg_context *context, isg_error *error)
{
    (void)context;
    isg_npy *file = (isg_npy *)&file;
    if (!put_file("r.npy"))
        return fault_broken(error, "no file to read");
    isg_status st = isg_npy_open(&file, "r.npy", error);
    if ((file != NULL) != (st == ISG_OK))
        return fault_broken(error, "a handle beside a failure, or none beside success");
    if (!st)
        memcpy(fault_result, isg_npy_array(file)->data, sizeof fault_x);
    isg_npy_close(&file);
    return st;
}

// The same from the middle of a stream.
static isg_status npy_streamed(isg_context *context, isg_error *error)
{
    (void)context;
    char head[6];
    isg_npy *file = NULL;
    int fd = put_file("r.npy") ? open("r.npy", O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0 || read(fd, head, sizeof head) != sizeof head)
        return fault_broken(error, "no file to read");
    isg_status st = isg_npy_read(&file, fd, "r.npy", head, sizeof head, error);
    if (!st)
        memcpy(fault_result, isg_npy_array(file)->data, sizeof fault_x);
    isg_npy_close(&file);
    close(fd);
    return st;
}

// Into a descriptor, which is not mapped.
static isg_status npy_to_descriptor(isg_context *context, isg_error *error)
{
    (void)context;
    char path[32];
    isg_npy *file = NULL;
    int fd = open("d.npy", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    snprintf(path, sizeof path, "/dev/fd/%d", fd);
    isg_status st = isg_npy_create(&file, path, ISG_F32, 2, (int64_t[]){FAULT_ROWS, FAULT_DIMS}, error);
    if (!st) {
        memcpy(isg_npy_array(file)->data, fault_x, sizeof fault_x);
        st = isg_npy_commit(&file, error);
    }
    if (!st && pread(fd, fault_result, FAULT_RESULT_BYTES, 0) < (ssize_t)sizeof fault_x)
        st = fault_broken(error, "a file that was written is not there");
    close(fd);
    return st;
}

// ---- Stores ----

static int count_fault(void *user, const isg_store_fault *fault)
{
    (void)fault;
    ++*(int *)user;
    return 0;
}

// What is there, all of it right.
static isg_status read_store(const char *path, isg_error *error)
{
    isg_store *store = (isg_store *)&store;
    isg_store_info info;
    int64_t faults = 0;
    int told = 0;
    isg_status st = isg_store_open(&store, path, error);
    if ((store != NULL) != (st == ISG_OK))
        return fault_broken(error, "a handle beside a failure, or none beside success");
    if (!st)
        st = isg_store_describe(store, &info, error);
    if (!st)
        st = isg_store_check(store, count_fault, &told, &faults, error);
    if (!st && (faults || told))
        st = fault_broken(error, "a store that is right is called damaged");
    if (!st && info.recorded != info.tiles)
        st = fault_broken(error, "a store that is done lacks tiles");
    if (!st)
        st = isg_store_read(store, 0, 0, fault_out(ISG_F32, 0, FAULT_ROWS, FAULT_ROWS), error);
    isg_store_close(&store);
    return st;
}

// Makes a store, or goes on with the one that the last run left, and reads it. It is removed when all is done.
static isg_status run_store_of(isg_context *context, isg_error *error, const isg_gram_params *gram, const char *path,
                               isg_store_layout layout, bool repair)
{
    isg_store *store = (isg_store *)&store;
    char journal[40];
    snprintf(journal, sizeof journal, "%s.journal", path);
    isg_status st = isg_store_create(context, &store,
                                     &(isg_store_params){.path = path,
                                                         .gram = gram,
                                                         .layout = layout,
                                                         .side = 64,
                                                         .resume = !repair,
                                                         .repair = repair,
                                                         .x_path = "/x.npy"});
    if ((store != NULL) != (st == ISG_OK))
        return fault_broken(error, "a handle beside a failure, or none beside success");
    if (!st)
        st = isg_store_compute(store, NULL);
    isg_store_close(&store);
    if (st)
        return st;
    if ((st = read_store(path, error)))
        return st;
    return !repair && (unlink(path) || unlink(journal)) ? fault_broken(error, "no files of a store that is done")
                                                        : ISG_OK;
}

static isg_status run_store(isg_context *context, isg_error *error, const char *path, isg_store_layout layout,
                            bool repair)
{
    return run_store_of(context, error, isg_gram_params(.sigma = 0.5, .x = FAULT_X), path, layout, repair);
}

static isg_status store(isg_context *context, isg_error *error)
{
    return run_store(context, error, "s.npy", ISG_STORE_FULL, false);
}

static isg_status store_tiles(isg_context *context, isg_error *error)
{
    return run_store(context, error, "./t.npy", ISG_STORE_TILES, false);
}

// Of two sets, with lengthscales, a mask and factors, which are hashed.
static isg_status store_of_rows(isg_context *context, isg_error *error)
{
    uint8_t all[FAULT_ROWS];
    double factors[FAULT_ROWS], lengthscales[FAULT_DIMS];
    for (int i = 0; i < FAULT_ROWS; i++) {
        all[i] = 1;
        factors[i] = 1 + i % 3;
    }
    for (int k = 0; k < FAULT_DIMS; k++)
        lengthscales[k] = 1 + k;
    return run_store_of(
        context, error,
        isg_gram_params(.x = FAULT_X, .y = FAULT_X, .include = all, .factors = factors, .lengthscales = lengthscales),
        "w.npy", ISG_STORE_FULL, false);
}

static bool damage(const char *path, off_t at)
{
    char bytes[8];
    int fd = open(path, O_RDWR | O_CLOEXEC);
    bool done = fd >= 0 && pread(fd, bytes, sizeof bytes, at) == sizeof bytes;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)~bytes[i];
    done = done && pwrite(fd, bytes, sizeof bytes, at) == sizeof bytes;
    if (fd >= 0)
        close(fd);
    return done;
}

// A store with a header of its journal and a tile damaged in each run, and then repaired. It stays. What is damaged
// here twice is as it was: so only once all is right again.
static isg_status store_repaired(isg_context *context, isg_error *error)
{
    static bool whole;
    if (access("p.npy", F_OK)) {
        isg_store *made = NULL;
        isg_status st = isg_store_create(
            context, &made,
            &(isg_store_params){
                .path = "p.npy", .gram = isg_gram_params(.sigma = 0.5, .x = FAULT_X), .side = 64, .x_path = "/x.npy"});
        if (!st)
            st = isg_store_compute(made, NULL);
        isg_store_close(&made);
        if (st) {
            unlink("p.npy");
            unlink("p.npy.journal");
            return st;
        }
        whole = true;
    }
    if (whole && !(damage("p.npy.journal", 100) && damage("p.npy", 4000)))
        return fault_broken(error, "nothing to damage");
    whole = false;
    isg_status st = run_store(context, error, "p.npy", ISG_STORE_FULL, true);
    whole = st == ISG_OK;
    return st;
}

const fault_job fault_jobs_of_files[] = {
    {.name = "npy_written", .run = npy_written},
    {.name = "npy_read", .run = npy_read},
    {.name = "npy_to_descriptor", .run = npy_to_descriptor},
    {.name = "npy_streamed", .run = npy_streamed},
    {.name = "store", .run = store},
    {.name = "store_tiles", .run = store_tiles},
    {.name = "store_of_rows", .run = store_of_rows},
    {.name = "store_repaired", .run = store_repaired},
    {.name = NULL},
};
