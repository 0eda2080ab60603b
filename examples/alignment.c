// The sigma at which the Gaussian kernel says most about the digits' labels, by the derivative of its alignment with
// them (Cristianini et al., On Kernel-Target Alignment, 2001): A = <K, T>/(|K| |T|), T[i, j] = 1 for equal labels, else
// 0. With a row of ten numbers for each label, <K, T> = sum (t_i . t_j) K[i, j]; and K^2, element by element, is the
// Gaussian kernel of sigma/sqrt(2). No matrix is ever stored.
//     cc alignment.c $(pkg-config --cflags --libs isogram) -lm && ./a.out digits.npy digits-labels.npy
#include <isogram/isogram.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { LABELS = 10 };

// f = sum_ij (t_i . t_j) K[i, j] and df/dsigma; 0 after a failure.
static double weighted_sum(isg_context *ctx, const isg_array *x, double sigma, const float *t, int r, double *slope)
{
    const int64_t n = x->shape[0];
    const isg_array weights = isg_matrix(ISG_F32, t, n, r);
    float *kt = malloc((size_t)(n * r) * sizeof *kt);
    isg_gram *gram = NULL;
    double sum = 0;
    if (kt && !isg_gram_create(ctx, &gram, isg_gram_params(.x = *x, .sigma = sigma)) &&
        !isg_gram_apply(gram, weights, isg_matrix(ISG_F32, kt, n, r), NULL) &&
        !isg_gram_gradient(gram, isg_gradient_params(.v = weights, .w = weights, .parameters = slope)))
        for (int64_t i = 0; i < n * r; i++)
            sum += (double)t[i] * (double)kt[i];
    isg_gram_destroy(&gram);
    free(kt);
    return sum;
}

// log(A |T|), and its derivative by log sigma.
static double alignment(isg_context *ctx, const isg_array *x, double sigma, const float *labels, const float *ones,
                        double *slope)
{
    double of_labels = 0, of_squares = 0;
    const double f = weighted_sum(ctx, x, sigma, labels, LABELS, &of_labels),
                 g = weighted_sum(ctx, x, sigma / sqrt(2), ones, 1, &of_squares);
    *slope = sigma * (of_labels / f - of_squares / sqrt(2) / (2 * g));
    return log(f) - log(g) / 2;
}

int main(int argc, char **argv)
{
    isg_error error = {ISG_OK, ""};
    isg_context *ctx = NULL;
    isg_npy *points = NULL, *labels = NULL;
    float *t = NULL, *ones = NULL;
    double low = 1, high = 100, slope = NAN, value = NAN, sigma = NAN;
    if (argc != 3 || isg_npy_open(&points, argv[1], &error) || isg_npy_open(&labels, argv[2], &error) ||
        isg_context_create(&ctx, isg_context_params(.error = &error))) {
        fprintf(stderr, argc == 3 ? "%s\n" : "%susage: alignment digits.npy digits-labels.npy\n", error.message);
        return 1;
    }
    const isg_array *x = isg_npy_array(points);
    const uint8_t *label = isg_npy_array(labels)->data;
    t = calloc((size_t)x->shape[0] * LABELS, sizeof *t);
    ones = calloc((size_t)x->shape[0], sizeof *ones);
    for (int64_t i = 0; t && ones && i < x->shape[0]; i++) {
        t[i * LABELS + label[i] % LABELS] = 1;
        ones[i] = 1;
    }
    // The derivative is positive below the best sigma, and negative above.
    for (int step = 0; t && ones && step < 12; step++) {
        sigma = sqrt(low * high);
        value = alignment(ctx, x, sigma, t, ones, &slope);
        printf("sigma %8.4f   log(A |T|) %+.6f   d log A/d log sigma %+.2e\n", sigma, value, slope);
        if (slope > 0)
            low = sigma;
        else
            high = sigma;
    }
    const int failed = isg_context_error(ctx)->status != ISG_OK || !(fabs(slope) < 1e-2) || !isfinite(value);
    if (isg_context_error(ctx)->status)
        fprintf(stderr, "%s\n", isg_context_error(ctx)->message);
    free(ones);
    free(t);
    isg_context_destroy(&ctx);
    isg_npy_close(&labels);
    isg_npy_close(&points);
    return failed;
}
