// A Gram matrix between a program's own OpenCL commands: nothing waits until the result is read.
//     cc own_queue.c $(pkg-config --cflags --libs isogram OpenCL) && ./a.out
#define CL_TARGET_OPENCL_VERSION 120
#include <isogram/isogram.h>
#include <isogram/opencl.h>

#include <stdio.h>

enum { N = 3, D = 2 };

// k[i] *= factor: what the program does to K.
static cl_kernel scale_kernel(cl_context cl, cl_device_id device)
{
    static const char *text = "kernel void scale(global float *k, float factor) { k[get_global_id(0)] *= factor; }";
    cl_program program = clCreateProgramWithSource(cl, 1, &text, NULL, NULL);
    clBuildProgram(program, 1, &device, "", NULL, NULL);
    cl_kernel kernel = clCreateKernel(program, "scale", NULL);
    clReleaseProgram(program);
    return kernel;
}

int main(void)
{
    // A program that has OpenCL already. This one lets isogram choose the device.
    isg_error error = {ISG_OK, ""};
    isg_context *chosen = NULL, *ctx = NULL;
    isg_gram *gram = NULL;
    if (isg_context_create(&chosen, isg_context_params(.error = &error)))
        return fprintf(stderr, "%s\n", error.message), 1;
    cl_device_id device = isg_context_cl_device(chosen);
    cl_context cl = clCreateContext(NULL, 1, &device, NULL, NULL, NULL);
    cl_command_queue queue = clCreateCommandQueue(cl, device, 0, NULL);
    isg_context_destroy(&chosen);

    float x[N * D] = {0, 0, 1, 0, 3, 4}, k[N * N], factor = 2;
    size_t items = (size_t)N * N;
    cl_mem points = clCreateBuffer(cl, CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR, sizeof x, x, NULL);
    cl_mem result = clCreateBuffer(cl, CL_MEM_READ_WRITE, sizeof k, NULL, NULL);
    cl_kernel scale = scale_kernel(cl, device);
    cl_event computed = NULL, scaled = NULL;

    if (isg_context_from_opencl(&ctx, cl, device, queue, isg_context_params(.error = &error)))
        return fprintf(stderr, "%s\n", error.message), 1;
    if (isg_gram_create(ctx, &gram, isg_gram_params(.sigma = 2.0, .x = isg_matrix_mem(ISG_F32, points, 0, N, D))) ||
        isg_gram_tile_enqueue(gram, 0, 0, isg_matrix_mem(ISG_F32, result, 0, N, N), 0, NULL, &computed))
        return fprintf(stderr, "%s\n", isg_context_error(ctx)->message), 1;
    clSetKernelArg(scale, 0, sizeof result, &result);
    clSetKernelArg(scale, 1, sizeof factor, &factor);
    clEnqueueNDRangeKernel(queue, scale, 1, NULL, &items, NULL, 1, &computed, &scaled);
    if (clEnqueueReadBuffer(queue, result, CL_TRUE, 0, sizeof k, k, 1, &scaled, NULL) != CL_SUCCESS)
        return fprintf(stderr, "the chain failed\n"), 1;
    for (size_t i = 0; i < N; i++)
        printf("%.9g %.9g %.9g\n", k[N * i], k[N * i + 1], k[N * i + 2]);

    clReleaseEvent(computed);
    clReleaseEvent(scaled);
    isg_gram_destroy(&gram);
    isg_context_destroy(&ctx);
    clReleaseKernel(scale);
    clReleaseMemObject(points);
    clReleaseMemObject(result);
    clReleaseCommandQueue(queue);
    clReleaseContext(cl);
    return k[0] != 2 || k[1] < 1.7649 || k[1] > 1.7651; // 2 exp(-1/8)
}
