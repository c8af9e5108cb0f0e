#ifndef CNVML_H
#define CNVML_H

/// The NVIDIA Management Library, loaded at run time: machines without it are the rule.
struct nvml;

/// One GPU. Numbers are -1 where the device does not tell.
struct nvml_gpu {
    char uuid[96];
    char model[96];
    char bus_id[32];
    long long memory_mib;
    int ecc_enabled;
    int mig_enabled;
    /// Since the driver was loaded, as are all counters.
    long long uncorrected_errors;
    long long corrected_errors;
    long long remapped_rows;
    int remap_pending;
    int remap_failed;
    int retirement_pending;
    /// Links that are up, and the errors of all of them.
    int active_links;
    long long link_errors;
    /// Nanoseconds for which clocks were held down.
    long long thermal_ns;
    long long power_ns;
    /// PCI bus ids at the other ends of active NVLinks.
    char peers[18][32];
    int peer_count;
    /// NVML's code of the first call that failed on a device that has an identity; 0 for none.
    int failure;
};

/// Loads the library and starts it. Returns NULL with a message when it is not there (`absent` is set) or fails.
struct nvml *nvml_open(const char *path, int *absent, char *message, int size);

/// GPUs; -1 with a message.
int nvml_count(struct nvml *nvml, char *message, int size);

/// Reads the GPU with an index. Returns 0, or -1 with a message when not even its identity is known.
int nvml_read(struct nvml *nvml, int index, struct nvml_gpu *gpu, char *message, int size);

void nvml_close(struct nvml *nvml);

#endif
