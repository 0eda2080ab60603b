#include "cluster.h"

#include <stdlib.h>
#include <string.h>

const char cluster_help[] =
    "      --cluster         put the points in an order in which neighbours lie close together, compute, and put the\n"
    "                        results back: where K is 0 far away, most of it is skipped then. Sums are added up in\n"
    "                        that order, so their last digits differ; it is the same on every machine\n";

static int64_t columns_of(const isg_array *a)
{
    return a->ndim > 1 ? a->shape[1] : 1;
}

static void copy_row(const isg_array *from, int64_t i, const isg_array *to, int64_t j)
{
    const size_t element = isg_dtype_bytes(from->dtype);
    for (int64_t k = 0; k < columns_of(from); k++) {
        int64_t a = i * from->strides[0] + (from->ndim > 1 ? k * from->strides[1] : 0),
                b = j * to->strides[0] + (to->ndim > 1 ? k * to->strides[1] : 0);
        memcpy((char *)to->data + b * (int64_t)element, (const char *)from->data + a * (int64_t)element, element);
    }
}

// A row-major array of `count` rows like those of `a`; data NULL without memory.
static isg_array like(const isg_array *a, int64_t count)
{
    isg_array made = isg_matrix(a->dtype, NULL, count, columns_of(a));
    made.ndim = a->ndim;
    made.data = malloc((size_t)(count * columns_of(a)) * isg_dtype_bytes(a->dtype) + 1);
    return made;
}

// One set of points: those that are included, in order. *places: where they were among these.
static int sort_points(isg_array *points, const char *name, const uint8_t *include, const double *lengthscales,
                       int64_t **places, double *factors)
{
    isg_error error = {ISG_OK, ""};
    int64_t count = 0, at = 0;
    for (int64_t i = 0; i < points->shape[0]; i++)
        count += !include || include[i];
    isg_array taken = like(points, count), sorted = like(points, count);
    double *moved = malloc((size_t)(factors ? count : 0) * sizeof *moved + 1);
    *places = malloc((size_t)count * sizeof **places + 1);
    if (!taken.data || !sorted.data || !*places || !moved) {
        complain("no memory for the order of %lld points", (long long)count);
        goto fail;
    }
    for (int64_t i = 0; i < points->shape[0]; i++)
        if (!include || include[i]) {
            if (factors)
                moved[at] = factors[i];
            copy_row(points, i, &taken, at++);
        }
    if (isg_gram_cluster(taken, lengthscales, *places, &error)) {
        complain("%s: %s", name, error.message);
        goto fail;
    }
    for (int64_t i = 0; i < count; i++) {
        copy_row(&taken, (*places)[i], &sorted, i);
        if (factors)
            factors[i] = moved[(*places)[i]];
    }
    *points = sorted;
    free(taken.data);
    free(moved);
    return EXIT_DONE;
fail:
    free(taken.data);
    free(sorted.data);
    free(moved);
    return EXIT_FAILED;
}

int cluster_operator(clustering *c, operator_options *o)
{
    isg_gram_params *p = &o->params;
    const bool two = p->y.dtype != ISG_DTYPE_NONE;
    double start = isg_seconds();
    int64_t included = 0;
    // What is wrong with the points is for the library to say.
    if (!c->asked || p->x.ndim != 2 || p->x.shape[1] < 1 || (two && (p->y.ndim != 2 || p->y.shape[1] != p->x.shape[1])))
        return EXIT_DONE;
    for (int64_t i = 0; i < p->x.shape[0]; i++)
        included += !p->include || p->include[i];
    if (included == 0)
        return EXIT_DONE;
    if (sort_points(&p->x, p->x_name, p->include, o->lengthscales, &c->owned[0], o->factor_values))
        return EXIT_FAILED;
    c->x = p->x.data;
    c->rows = c->columns = c->owned[0];
    p->include = NULL;
    if (two) {
        if (sort_points(&p->y, p->y_name, NULL, o->lengthscales, &c->owned[1], NULL))
            return EXIT_FAILED;
        c->y = p->y.data;
        c->columns = c->owned[1];
    }
    // Either's points may have come from either file.
    isg_npy_close(&o->x_file);
    isg_npy_close(&o->y_file);
    c->seconds = isg_seconds() - start;
    return EXIT_DONE;
}

int cluster_gather(clustering *c, const int64_t *places, int64_t count, isg_array *a)
{
    if (!places || a->shape[0] != count)
        return EXIT_DONE;
    isg_array sorted = like(a, count);
    if (!sorted.data)
        return complain("no memory for %lld rows", (long long)count);
    for (int64_t i = 0; i < count; i++)
        copy_row(a, places[i], &sorted, i);
    c->gathered[c->gathered[0] != NULL] = sorted.data;
    *a = sorted;
    return EXIT_DONE;
}

void cluster_release(clustering *c, const int64_t *places)
{
    if (c->rows == c->columns)
        return;
    for (int i = 0; i < 2; i++)
        if (places && c->owned[i] == places) {
            c->rows = c->rows == places ? NULL : c->rows;
            c->columns = c->columns == places ? NULL : c->columns;
            free(c->owned[i]);
            c->owned[i] = NULL;
        }
}

int cluster_make(clustering *c, isg_array *a)
{
    *a = like(a, a->shape[0]);
    c->results = a->data;
    return a->data ? EXIT_DONE : complain("no memory for %lld results", (long long)a->shape[0]);
}

void cluster_scatter(const int64_t *places, const isg_array *from, const isg_array *to)
{
    for (int64_t i = 0; i < from->shape[0]; i++)
        copy_row(from, i, to, places[i]);
}

void cluster_free(clustering *c)
{
    free(c->x);
    free(c->y);
    free(c->owned[0]);
    free(c->owned[1]);
    free(c->gathered[0]);
    free(c->gathered[1]);
    free(c->results);
}
