// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

func library(
    _ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = [],
    extra: [SwiftSetting] = []
) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: settings + extra)
}

func program(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let asn1: Target.Dependency = .product(name: "SwiftASN1", package: "swift-asn1")
let asyncHTTPClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let heap: Target.Dependency = .product(name: "HeapModule", package: "swift-collections")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTesting: Target.Dependency = .product(name: "HummingbirdTesting", package: "hummingbird")
let hummingbirdTLS: Target.Dependency = .product(name: "HummingbirdTLS", package: "hummingbird")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let subprocess: Target.Dependency = .product(name: "Subprocess", package: "swift-subprocess")
let systemPackage: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let unixSignals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let x509: Target.Dependency = .product(name: "X509", package: "swift-certificates")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

let package = Package(
    name: "basalt",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    ],
    targets: [
        // Values and pure engines.
        library("Fleet"),
        library("VMPlacement", ["Fleet"]),
        library(
            "FaultLab", ["Fleet"],
            // In the program itself: problems are drawn without a file beside it.
            resources: [.embedInCode("Problems/Catalogue/problems.json")]),
        library(
            "DeviceHealth", ["Fleet"],
            // In the program itself: devices are judged without a file beside it.
            resources: [.embedInCode("Catalogue/xids.tsv")]),
        library("Oversubscription"),
        library("TrainingScheduling"),
        library(
            "ServingPlanning", [],
            // In the program itself: plans are made without a file beside it.
            resources: [
                .embedInCode("Catalogue/gpus.json"), .embedInCode("Catalogue/models.json"),
            ],
            // Searches are loops over numbers, many times slower without: tests would take minutes.
            extra: [.unsafeFlags(["-O"], .when(configuration: .debug))]),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CSQLite", providers: [.apt(["libsqlite3-dev"])]),
        library(
            "Replay",
            [
                "CSQLite", "CZlib", "Fleet", "Oversubscription", "ServingPlanning", "TrainingScheduling",
                "VMPlacement",
            ]),
        library("LifetimeTraining", ["Fleet", "VMPlacement"]),
        // What travels.
        library("AgentProtocol", ["Fleet", crypto]),
        library("APITypes", ["Fleet"]),
        // What is durable.
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        library("PostgresClient", ["CLibPQ", logging]),
        library("Store", ["AgentProtocol", "FaultLab", "Fleet", "PostgresClient", logging]),
        // What programs say about themselves, and what they are told.
        library("Telemetry", ["Fleet", logging]),
        library("Settings", ["AgentProtocol", "Fleet", yams]),
        // The control plane.
        library(
            "Control",
            [
                "AgentProtocol", "Fleet", "LifetimeTraining", "Oversubscription", "ServingPlanning", "Store",
                "Telemetry", "TrainingScheduling", "VMPlacement", heap, logging,
            ]),
        library(
            "API",
            [
                "APITypes", "AgentProtocol", "Control", "FaultLab", "Fleet", "Store", "Telemetry", crypto,
                httpTypes, hummingbird,
                hummingbirdCore, hummingbirdTLS, logging, nioCore, nioSSL,
            ],
            // In the program itself: it is served without a file beside it.
            resources: [.embedInCode("openapi.yaml")]),
        library("ProgramShell", ["Fleet", "Settings", argumentParser]),
        program(
            "basaltd",
            [
                "API", "AgentProtocol", "Control", "Fleet", "PostgresClient", "ProgramShell", "Settings",
                "Store", "Telemetry",
                argumentParser, asn1, crypto, hummingbird, lifecycle, logging, nioSSL, unixSignals, x509,
            ]),
        library(
            "World",
            [
                "API", "AgentProtocol", "Control", "DeviceHealth", "FaultLab", "Fleet", "NodeAgent", "Store",
                heap, logging,
            ]),
        // What agents that are evaluated speak to; the fleets are behind it, in processes of their own.
        library(
            "Evaluation",
            [
                "APITypes", "FaultLab", "Fleet", crypto, httpTypes, hummingbird, hummingbirdCore,
                hummingbirdTLS, logging, nioCore, nioSSL, subprocess, systemPackage,
            ],
            // In the program itself: it is served without a file beside it.
            resources: [.embedInCode("openapi.yaml")]),
        program(
            "basalt-world",
            [
                "Client", "Evaluation", "FaultLab", "Fleet", "LiveLab", "ProgramShell", "World",
                argumentParser, crypto, hummingbird, logging, nioSSL,
            ]),
        // Faults that are real.
        library("FaultSeam", ["FaultLab"]),
        library(
            "FaultInjection",
            [
                "CShim", "FaultLab", "FaultSeam", "Fleet", "NodeAgent", "PostgresClient", "Shim",
                asyncHTTPClient, logging, nioCore, nioHTTP1, nioPosix,
            ]),
        program(
            "basalt-injector",
            [
                "Client", "FaultInjection", "FaultLab", "FaultProxy", "Fleet", "NodeAgent", "ProgramShell",
                "Telemetry", argumentParser, hummingbird, logging, unixSignals,
            ]),
        library("FaultProxy", [hummingbird, logging, nioCore, nioPosix]),
        library("LiveLab", ["APITypes", "Client", "FaultInjection", "FaultLab", "Fleet"]),
        // Outside of it.
        library(
            "Client",
            [
                "Fleet", "APITypes", "AgentProtocol", "FaultLab", asyncHTTPClient, nioCore, nioHTTP1,
                nioPosix,
                nioSSL,
            ]),
        .target(name: "CShim"),
        .target(name: "CNVML", linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
        library("Shim", ["CShim"]),
        program("basalt-shim", ["Shim"]),
        library(
            "ServingRouter",
            [
                "Fleet", "Telemetry", asyncHTTPClient, lifecycle, logging, nioCore, nioHTTP1, nioPosix,
                nioSSL,
            ]),
        program(
            "basalt-router",
            [
                "Client", "Fleet", "ProgramShell", "ServingRouter", "Settings", "Telemetry", argumentParser,
                lifecycle, logging, nioSSL, unixSignals,
            ]),
        library(
            "FakeEngine",
            [
                "FaultLab", "FaultSeam", "ServingPlanning", asyncHTTPClient, hummingbird, httpTypes, logging,
                nioCore, nioHTTP1,
            ]),
        program(
            "basalt-fake-engine",
            ["FakeEngine", "FaultSeam", "ServingPlanning", argumentParser, hummingbird, logging]),
        library(
            "NodeAgent",
            [
                "AgentProtocol", "CNVML", "DeviceHealth", "FaultLab", "FaultSeam", "Fleet",
                "Oversubscription",
                "Shim", "Telemetry", crypto, lifecycle, logging,
            ]),
        program(
            "basalt-agent",
            [
                "AgentProtocol", "Client", "FaultSeam", "Fleet", "NodeAgent", "Oversubscription",
                "ProgramShell",
                "Settings",
                "Telemetry", argumentParser, lifecycle, logging, nioCore, nioHTTP1, nioPosix, unixSignals,
                yams,
            ]),
        library(
            "CommandLine",
            [
                "FaultLab", "Fleet", "NodeAgent", "VMPlacement", "Replay", "LifetimeTraining", "APITypes",
                "Client",
                "ServingPlanning", "TrainingScheduling", argumentParser, deque, subprocess, systemPackage,
                yams,
            ]),
        program("basalt-trainer", ["FaultLab", "FaultSeam"]),
        program("basalt", ["CommandLine", "Client", "ProgramShell", unixSignals]),
        program(
            "basalt-bench",
            [
                "APITypes", "AgentProtocol", "Client", "Control", "FaultLab", "Fleet", "LifetimeTraining",
                "LiveLab", "PostgresClient", "ProgramShell", "Replay", "ServingPlanning", "Store",
                "TrainingScheduling",
                "VMPlacement", asyncHTTPClient, logging, nioCore, nioHTTP1, nioPosix, nioSSL,
            ]),
        // Tests.
        tests("ArchitectureTests", []),
        tests("FleetTests", ["Fleet"]),
        tests("SettingsTests", ["Fleet", "Settings"]),
        tests("TelemetryTests", ["Fleet", "Telemetry", logging]),
        tests("VMPlacementTests", ["Fleet", "VMPlacement"]),
        tests("WorldTests", ["FaultLab", "Fleet", "Store", "World", "basalt-world"]),
        tests("FaultLabTests", ["FaultLab", "Fleet"]),
        tests("DeviceHealthTests", ["DeviceHealth", "Fleet"]),
        tests(
            "EvaluationTests",
            [
                "Evaluation", "FaultLab", "Fleet", "basalt-world", asyncHTTPClient, logging, nioCore,
                nioHTTP1, yams,
            ]),
        tests(
            "FaultInjectionTests",
            [
                "AgentProtocol", "FaultInjection", "FaultLab", "FaultSeam", "Fleet", "NodeAgent",
                "PostgresClient", "Shim", "basalt-fake-engine", "basalt-injector", "basalt-trainer",
                asyncHTTPClient, logging, nioCore, nioHTTP1,
            ]),
        tests(
            "FaultProxyTests",
            ["FaultProxy", asyncHTTPClient, hummingbird, logging, nioCore, nioHTTP1, nioPosix]),
        tests("OversubscriptionTests", ["Oversubscription"]),
        tests("TrainingSchedulingTests", ["TrainingScheduling"]),
        tests("ServingPlanningTests", ["ServingPlanning"]),
        tests(
            "ServingRouterTests",
            [
                "FakeEngine", "Fleet", "ServingRouter", "Telemetry", "TestServer", asn1, asyncHTTPClient,
                crypto, hummingbird,
                lifecycle, logging, nioCore, nioHTTP1, nioPosix, nioSSL, x509,
            ]),
        tests(
            "ReplayTests",
            [
                "CSQLite", "Fleet", "Oversubscription", "Replay", "ServingPlanning", "TrainingScheduling",
                "VMPlacement",
            ]),
        tests("LifetimeTrainingTests", ["Fleet", "LifetimeTraining", "VMPlacement"]),
        tests("PostgresClientTests", ["PostgresClient", logging]),
        tests(
            "StoreTests",
            ["AgentProtocol", "Control", "FaultLab", "Fleet", "PostgresClient", "Store", logging]),
        tests(
            "ControlTests",
            [
                "AgentProtocol", "Control", "Fleet", "LifetimeTraining", "Oversubscription", "Store",
                "TrainingScheduling",
                "VMPlacement", logging,
            ]),
        tests(
            "APITests",
            [
                "API", "APITypes", "AgentProtocol", "Control", "FaultLab", "Fleet", "Store", "VMPlacement",
                httpTypes,
                hummingbird, hummingbirdTesting, logging, nioCore, yams,
            ]),
        tests(
            "FuzzTests",
            [
                "API", "APITypes", "CommandLine", "Fleet", "Oversubscription", "Replay", "Store",
                "VMPlacement", httpTypes,
                hummingbird, nioCore,
            ]),
        tests(
            "NodeAgentTests",
            [
                "AgentProtocol", "DeviceHealth", "Fleet", "NodeAgent", "Oversubscription", "Shim",
                "basalt-shim", crypto, lifecycle, logging,
            ]),
        tests(
            "ClientTests", ["APITypes", "AgentProtocol", "Client", "Fleet", "TestServer", asn1, crypto, x509]),
        tests(
            "CommandLineTests",
            [
                "APITypes", "Client", "CommandLine", "Fleet", "Replay", "TestServer", "basalt",
                argumentParser,
            ]),
        tests(
            "EndToEnd",
            [
                "APITypes", "AgentProtocol", "Client", "FaultInjection", "FaultLab", "FaultSeam", "Fleet",
                "LiveLab", "NodeAgent", "Oversubscription", "PostgresClient", "Replay", "Shim", "Telemetry",
                "basalt-injector",
                "basalt-world",
                "basalt", "basalt-agent", "basalt-fake-engine", "basalt-router", "basalt-shim",
                "basalt-trainer",
                "basaltd", asyncHTTPClient, logging, nioCore,
                nioHTTP1,
                nioSSL,
            ]),
        .target(
            name: "TestServer", dependencies: ["Fleet", "APITypes", nioCore, nioPosix, nioHTTP1, nioSSL],
            path: "Tests/TestServer", swiftSettings: settings),
    ]
)
