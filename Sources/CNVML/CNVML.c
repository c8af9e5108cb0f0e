#include "CNVML.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Layouts and names of NVML's stable interface (nvml.h of the CUDA toolkit).
typedef void *device_t;
struct memory { unsigned long long total, free, used; };
struct pci {
    char legacy[16];
    unsigned domain, bus, device, ids, subsystem;
    char bus_id[32];
};
struct violation { unsigned long long reference, time; };
enum { links = 18, corrected = 0, uncorrected = 1, since_boot = 0 };
enum { power_policy = 0, thermal_policy = 1 };
// Replays, recoveries, bad checksums of flits and of data.
enum { link_counters = 4 };

struct nvml {
    void *library;
    int (*init)(void);
    int (*shutdown)(void);
    const char *(*error_string)(int);
    int (*count)(unsigned *);
    int (*handle)(unsigned, device_t *);
    int (*uuid)(device_t, char *, unsigned);
    int (*name)(device_t, char *, unsigned);
    int (*pci)(device_t, struct pci *);
    int (*memory)(device_t, struct memory *);
    int (*ecc)(device_t, int *, int *);
    int (*errors)(device_t, int, int, unsigned long long *);
    int (*mig)(device_t, unsigned *, unsigned *);
    int (*link)(device_t, unsigned, int *);
    int (*remote)(device_t, unsigned, struct pci *);
    int (*link_errors)(device_t, unsigned, int, unsigned long long *);
    int (*remapped)(device_t, unsigned *, unsigned *, unsigned *, unsigned *);
    int (*retiring)(device_t, int *);
    int (*violation)(device_t, int, struct violation *);
};

static void describe(struct nvml *nvml, const char *call, int code, char *message, int size) {
    const char *text = nvml->error_string ? nvml->error_string(code) : NULL;
    snprintf(message, size, "%s: %s (%d)", call, text ? text : "failed", code);
}

struct nvml *nvml_open(const char *path, int *absent, char *message, int size) {
    *absent = 0;
    struct nvml *nvml = calloc(1, sizeof *nvml);
    if (!nvml) return NULL;
    nvml->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!nvml->library) {
        // A name that the loader does not find, or a path where nothing is.
        *absent = strchr(path, '/') == NULL || access(path, F_OK) != 0;
        snprintf(message, size, "%s", dlerror());
        free(nvml);
        return NULL;
    }
    struct { const char *name; void *slot; int needed; } symbols[] = {
        {"nvmlInit_v2", &nvml->init, 1}, {"nvmlShutdown", &nvml->shutdown, 1},
        {"nvmlErrorString", &nvml->error_string, 0}, {"nvmlDeviceGetCount_v2", &nvml->count, 1},
        {"nvmlDeviceGetHandleByIndex_v2", &nvml->handle, 1}, {"nvmlDeviceGetUUID", &nvml->uuid, 1},
        {"nvmlDeviceGetName", &nvml->name, 1}, {"nvmlDeviceGetPciInfo_v3", &nvml->pci, 1},
        {"nvmlDeviceGetMemoryInfo", &nvml->memory, 1}, {"nvmlDeviceGetEccMode", &nvml->ecc, 0},
        {"nvmlDeviceGetTotalEccErrors", &nvml->errors, 0}, {"nvmlDeviceGetMigMode", &nvml->mig, 0},
        {"nvmlDeviceGetNvLinkState", &nvml->link, 0},
        {"nvmlDeviceGetNvLinkRemotePciInfo_v2", &nvml->remote, 0},
        {"nvmlDeviceGetNvLinkErrorCounter", &nvml->link_errors, 0},
        {"nvmlDeviceGetRemappedRows", &nvml->remapped, 0},
        {"nvmlDeviceGetRetiredPagesPendingStatus", &nvml->retiring, 0},
        {"nvmlDeviceGetViolationStatus", &nvml->violation, 0},
    };
    for (unsigned i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        void *symbol = dlsym(nvml->library, symbols[i].name);
        memcpy(symbols[i].slot, &symbol, sizeof symbol);
        if (symbol || !symbols[i].needed) continue;
        snprintf(message, size, "%s has no %s", path, symbols[i].name);
        dlclose(nvml->library);
        free(nvml);
        return NULL;
    }
    int code = nvml->init();
    if (code == 0) return nvml;
    describe(nvml, "nvmlInit", code, message, size);
    dlclose(nvml->library);
    free(nvml);
    return NULL;
}

int nvml_count(struct nvml *nvml, char *message, int size) {
    unsigned count = 0;
    int code = nvml->count(&count);
    if (code == 0) return (int)count;
    describe(nvml, "nvmlDeviceGetCount", code, message, size);
    return -1;
}

static void count_link(struct nvml *nvml, device_t device, unsigned link, struct nvml_gpu *gpu) {
    for (int counter = 0; nvml->link_errors && counter < link_counters; counter++) {
        unsigned long long errors = 0;
        if (nvml->link_errors(device, link, counter, &errors) != 0) continue;
        gpu->link_errors = (gpu->link_errors < 0 ? 0 : gpu->link_errors) + (long long)errors;
    }
}

static void read_links(struct nvml *nvml, device_t device, struct nvml_gpu *gpu) {
    for (unsigned link = 0; nvml->link && link < links; link++) {
        int active = 0;
        struct pci pci = {0};
        if (nvml->link(device, link, &active) != 0) continue;
        if (gpu->active_links < 0) gpu->active_links = 0;
        if (!active) continue;
        gpu->active_links++;
        count_link(nvml, device, link, gpu);
        if (!nvml->remote || nvml->remote(device, link, &pci) != 0) continue;
        snprintf(gpu->peers[gpu->peer_count++], sizeof gpu->peers[0], "%s", pci.bus_id);
    }
}

static long long violation_ns(struct nvml *nvml, device_t device, int policy) {
    struct violation violation = {0};
    if (!nvml->violation || nvml->violation(device, policy, &violation) != 0) return -1;
    return (long long)violation.time;
}

static void read_health(struct nvml *nvml, device_t device, struct nvml_gpu *gpu) {
    unsigned long long errors = 0;
    unsigned repaired = 0, rows = 0, pending = 0, failed = 0;
    int retiring = 0;
    if (nvml->errors && nvml->errors(device, uncorrected, since_boot, &errors) == 0)
        gpu->uncorrected_errors = (long long)errors;
    if (nvml->errors && nvml->errors(device, corrected, since_boot, &errors) == 0)
        gpu->corrected_errors = (long long)errors;
    if (nvml->remapped && nvml->remapped(device, &repaired, &rows, &pending, &failed) == 0) {
        gpu->remapped_rows = rows;
        gpu->remap_pending = pending != 0;
        gpu->remap_failed = failed != 0;
    }
    if (nvml->retiring && nvml->retiring(device, &retiring) == 0) gpu->retirement_pending = retiring != 0;
    gpu->thermal_ns = violation_ns(nvml, device, thermal_policy);
    gpu->power_ns = violation_ns(nvml, device, power_policy);
}

int nvml_read(struct nvml *nvml, int index, struct nvml_gpu *gpu, char *message, int size) {
    memset(gpu, 0, sizeof *gpu);
    gpu->memory_mib = gpu->ecc_enabled = gpu->mig_enabled = -1;
    gpu->uncorrected_errors = gpu->corrected_errors = gpu->remapped_rows = gpu->link_errors = -1;
    gpu->remap_pending = gpu->remap_failed = gpu->retirement_pending = gpu->active_links = -1;
    gpu->thermal_ns = gpu->power_ns = -1;
    device_t device = NULL;
    int code = nvml->handle((unsigned)index, &device);
    if (code == 0) code = nvml->uuid(device, gpu->uuid, sizeof gpu->uuid);
    if (code != 0) {
        describe(nvml, "the GPU's identity", code, message, size);
        return -1;
    }
    struct pci pci = {0};
    struct memory memory = {0};
    int pending = 0;
    unsigned current = 0, next = 0;
    int codes[] = {
        nvml->name(device, gpu->model, sizeof gpu->model), nvml->pci(device, &pci),
        nvml->memory(device, &memory),
    };
    for (int i = 0; i < 3 && gpu->failure == 0; i++) gpu->failure = codes[i];
    memcpy(gpu->bus_id, pci.bus_id, sizeof gpu->bus_id);
    if (codes[2] == 0) gpu->memory_mib = (long long)(memory.total >> 20);
    if (!nvml->ecc || nvml->ecc(device, &gpu->ecc_enabled, &pending) != 0) gpu->ecc_enabled = -1;
    if (nvml->mig && nvml->mig(device, &current, &next) == 0) gpu->mig_enabled = current != 0;
    read_health(nvml, device, gpu);
    read_links(nvml, device, gpu);
    return 0;
}

void nvml_close(struct nvml *nvml) {
    nvml->shutdown();
    dlclose(nvml->library);
    free(nvml);
}
