#include "deliver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// A name beside `path` for the picture until the array is in its place; NULL when memory is out.
static char *name_beside(const char *path)
{
    const char *slash = strrchr(path, '/');
    int folder = slash ? (int)(slash - path) + 1 : 0;
    size_t bytes = (size_t)folder + 48;
    char *name = malloc(bytes);
    if (name)
        snprintf(name, bytes, "%.*s.isogram-%ld.png", folder, path, (long)getpid());
    return name;
}

// The message names the picture's own path, not the one it has for the moment.
static int complain_of_plot(const char *path, const char *temporary, const isg_error *error)
{
    size_t length = strlen(temporary);
    if (strncmp(error->message, temporary, length) == 0)
        return complain("%s%s", path, error->message + length);
    return complain("%s", error->message);
}

static int deliver_both(const common_options *common, const delivery *d)
{
    isg_error error = {ISG_OK, ""};
    int code = EXIT_DONE;
    char *temporary = name_beside(common->plot);
    if (!temporary)
        return complain("no memory");
    if (d->draw(d->user, temporary, &error))
        code = complain_of_plot(common->plot, temporary, &error);
    else if (common->output && d->commit(d->user, &error))
        code = complain("%s", error.message);
    else if (rename(temporary, common->plot) != 0)
        code = complain("%s: %s", common->plot, strerror(errno));
    if (code)
        unlink(temporary);
    free(temporary);
    return code;
}

int deliver_as(const common_options *common, const delivery *d)
{
    struct stat info;
    isg_error error = {ISG_OK, ""};
    bool there = common->plot && stat(common->plot, &info) == 0;
    if (common->plot && !there && errno != ENOENT) // a name that cannot be: said before anything is put in its place
        return complain("%s: %s", common->plot, strerror(errno));
    if (common->plot && (!there || S_ISREG(info.st_mode)))
        return deliver_both(common, d);
    // A device or a pipe takes the picture as it comes; it cannot be taken back.
    if (common->plot && d->draw(d->user, common->plot, &error))
        return complain("%s", error.message);
    if (common->output && d->commit(d->user, &error))
        return complain("%s", error.message);
    return EXIT_DONE;
}

typedef struct npy_delivery {
    isg_npy **file;
    const isg_array *a;
    const plot_params *params;
} npy_delivery;

static isg_status draw_array(void *user, const char *path, isg_error *error)
{
    const npy_delivery *d = user;
    return plot_write(path, d->a, d->params, error);
}

static isg_status commit_npy(void *user, isg_error *error)
{
    const npy_delivery *d = user;
    return isg_npy_commit(d->file, error);
}

int deliver(const common_options *common, isg_npy **file, const isg_array *a, const plot_params *params)
{
    npy_delivery d = {file, a, params};
    return deliver_as(common, &(delivery){draw_array, commit_npy, &d});
}
