// The Gram matrix of three points, on the best device of this machine.
//     cc gram.c $(pkg-config --cflags --libs isogram) && ./a.out
#include <isogram/isogram.h>

#include <stdio.h>

int main(void)
{
    const float x[3 * 2] = {0, 0, 1, 0, 3, 4};
    float k[3 * 3];
    isg_error error = {ISG_OK, ""};
    isg_context *ctx = NULL;
    isg_gram *gram = NULL;

    if (isg_context_create(&ctx, isg_context_params(.error = &error))) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    if (isg_gram_create(ctx, &gram, isg_gram_params(.sigma = 2.0, .x = isg_matrix_f32(x, 3, 2))) ||
        isg_gram_dense(gram, isg_matrix_f32(k, 3, 3))) {
        fprintf(stderr, "%s\n", isg_context_error(ctx)->message);
    } else {
        printf("%s on %s\n", isg_context_contract(ctx, ISG_PRECISION_F32), isg_context_device(ctx)->name);
        for (size_t i = 0; i < 3; i++)
            printf("%.9g %.9g %.9g\n", k[3 * i], k[3 * i + 1], k[3 * i + 2]);
    }
    int failed = isg_context_error(ctx)->status != ISG_OK;
    isg_gram_destroy(&gram);
    isg_context_destroy(&ctx);
    return failed;
}
