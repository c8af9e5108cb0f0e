import Foundation
import Testing

/// A library with NVML's symbols that tells what it is made for, built by the C compiler.
enum StandInNVML {
    enum Fault: String, CaseIterable {
        case none, initFails, countFails, deviceLost, handleFails
    }

    /// Two GPUs with NVLinks to each other, a third alone.
    static func build(in directory: TemporaryDirectory, fault: Fault = .none) throws -> String {
        try directory.write(source, to: "nvml.c")
        let library = "\(directory.path)/nvml-\(fault.rawValue).so"
        let command = [
            "cc", "-shared", "-fPIC", "-DFAULT_\(fault.rawValue)=1", "-o", library,
            "\(directory.path)/nvml.c",
        ]
        var arguments = command.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var child = pid_t()
        try #require(posix_spawnp(&child, "cc", nil, nil, &arguments, environ) == 0)
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        try #require(status == 0, "the stand-in does not compile")
        return library
    }

    private static let source = """
        #include <stdio.h>
        #include <string.h>
        #if FAULT_initFails
        int nvmlInit_v2(void) { return 9; }
        #else
        int nvmlInit_v2(void) { return 0; }
        #endif
        int nvmlShutdown(void) { return 0; }
        const char *nvmlErrorString(int code) { return code == 9 ? "Driver Not Loaded" : "GPU is lost"; }
        int nvmlDeviceGetCount_v2(unsigned *count) {
        #if FAULT_countFails
            return 15;
        #endif
            *count = 3;
            return 0;
        }
        int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) {
        #if FAULT_handleFails
            if (index == 1) return 15;
        #endif
            *device = (void *)(unsigned long)(index + 1);
            return 0;
        }
        static int number(void *device) { return (int)(unsigned long)device - 1; }
        int nvmlDeviceGetUUID(void *device, char *text, unsigned size) {
            snprintf(text, size, "GPU-%d", number(device));
            return 0;
        }
        int nvmlDeviceGetName(void *device, char *text, unsigned size) {
            snprintf(text, size, "NVIDIA H100 80GB HBM3");
            return 0;
        }
        struct pci { char legacy[16]; unsigned domain, bus, device, ids, subsystem; char bus_id[32]; };
        int nvmlDeviceGetPciInfo_v3(void *device, struct pci *pci) {
            snprintf(pci->bus_id, 32, "00000000:%02X:00.0", 10 + number(device));
            return 0;
        }
        int nvmlDeviceGetMemoryInfo(void *device, unsigned long long *memory) {
        #if FAULT_deviceLost
            if (number(device) == 1) return 15;
        #endif
            memory[0] = 81559ULL << 20;
            return 0;
        }
        int nvmlDeviceGetEccMode(void *device, int *current, int *pending) { *current = 1; return 0; }
        int nvmlDeviceGetTotalEccErrors(void *device, int type, int counter, unsigned long long *errors) {
            *errors = number(device) == 2 ? 4 : 0;
            return 0;
        }
        int nvmlDeviceGetMigMode(void *device, unsigned *current, unsigned *pending) {
            if (number(device) == 2) return 3;
            *current = 0;
            return 0;
        }
        int nvmlDeviceGetNvLinkState(void *device, unsigned link, int *active) {
            if (number(device) == 2 || link > 3) return 3;
            *active = 1;
            return 0;
        }
        int nvmlDeviceGetNvLinkRemotePciInfo_v2(void *device, unsigned link, struct pci *pci) {
            snprintf(pci->bus_id, 32, "00000000:%02X:00.0", 11 - number(device));
            return 0;
        }
        """
}
