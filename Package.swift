// swift-tools-version: 6.2
import PackageDescription

/// Settings of every target of ours.
///
/// With KIADA_STRICT set (as `make` does for tests) a warning is an error; a plain `swift build` by a user with a newer
/// compiler still works.
let settings: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ] + (Context.environment["KIADA_STRICT"] == nil ? [] : [.treatAllWarnings(as: .error)])

// MARK: - What others provide

let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTLS = Target.Dependency.product(name: "HummingbirdTLS", package: "hummingbird")
let hummingbirdHTTP2 = Target.Dependency.product(name: "HummingbirdHTTP2", package: "hummingbird")
let hummingbirdTesting = Target.Dependency.product(name: "HummingbirdTesting", package: "hummingbird")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioHTTP2 = Target.Dependency.product(name: "NIOHTTP2", package: "swift-nio-http2")
let nioHPACK = Target.Dependency.product(name: "NIOHPACK", package: "swift-nio-http2")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let nioWebSocket = Target.Dependency.product(name: "NIOWebSocket", package: "swift-nio")
let nioHTTPTypesHTTP1 = Target.Dependency.product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let x509 = Target.Dependency.product(name: "X509", package: "swift-certificates")
let asn1 = Target.Dependency.product(name: "SwiftASN1", package: "swift-asn1")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")

// MARK: - Our targets, by layer: imports go down only (docs/architecture.md)

func library(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource]? = nil) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}
func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}
func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource]? = nil) -> Target {
    .testTarget(name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}

var targets: [Target] = [
    // 0
    library("NetTypes"),
    .target(name: "CLinux"),
    // 1
    library("ClusterModel", ["NetTypes"]),
    library("DNSWire", ["NetTypes"]),
    // 2
    library("ClusterStore", ["ClusterModel"]),
    library("ServiceRouting", ["ClusterModel", "NetTypes"]),
    library("LinuxKernel", ["CLinux"]),
    library("EventLoopTasks", [nioCore]),
    library(
        "HTTPConnections",
        ["EventLoopTasks", hummingbirdCore, httpTypes, logging, nioCore, nioHTTP1, nioHTTPTypesHTTP1]),
    library("LocalPorts", ["ServiceRouting", "NetTypes"]),
    library("Manifests", ["ClusterModel", yams]),
    // 3
    library("DNSClient", ["DNSWire", "NetTypes", nioCore, nioPosix]),
    library("ServiceDiscovery", ["DNSClient", "DNSWire", "NetTypes", nioCore, nioPosix]),
    library(
        "ClusterDNS",
        ["DNSClient", "ClusterModel", "ClusterStore", "DNSWire", "NetTypes", "CLinux", logging, nioCore, nioPosix]),
    library("ProxyHealth", ["ClusterModel", "ServiceRouting", "NetTypes", nioCore, nioPosix, nioHTTP1]),
    library(
        "UserspaceProxy", ["LocalPorts", "ServiceRouting", "NetTypes", "CLinux", logging, nioCore, nioPosix]),
    library("NFTablesProxy", ["LinuxKernel", "LocalPorts", "ServiceRouting", "NetTypes", logging]),
    .target(name: "CSocketProxy", exclude: ["compile.sh", "programs.bpf", "programs.bpf.c"]),
    library("SocketProxy", ["LinuxKernel", "ServiceRouting", "NetTypes", "CLinux", "CSocketProxy", logging]),
    .target(name: "CPodProcess"),
    library(
        "PodRuntime",
        [
            "ClusterModel", "NetTypes", "CPodProcess", "CLinux", logging, nioCore, nioPosix, nioHTTP1, nioHTTP2,
            nioHPACK, nioSSL,
        ]),
    library("ControlPlane", ["ClusterModel", "ClusterStore", "NetTypes", logging]),
    library(
        "ClusterAPI",
        [
            "HTTPConnections", "ClusterModel", "ClusterStore", "Manifests", "NetTypes",
            hummingbirdCore, hummingbirdTLS, httpTypes, logging, nioCore, nioPosix, nioHTTP1, nioWebSocket, nioSSL,
            crypto,
            "CZlib",
        ],
        resources: [.embedInCode("Resources")]),
    library("StorePersistence", ["ClusterModel", "ClusterStore", grdb]),
    library(
        "ServiceKit",
        [
            "HTTPConnections", hummingbird, hummingbirdCore, hummingbirdTLS, hummingbirdHTTP2, httpTypes, logging,
            argumentParser, lifecycle, nioCore, nioPosix, nioHTTP1, nioSSL, x509, asn1, crypto, unixSignals, "CZlib",
        ]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"]), .brew(["libpq"])]),
    // 4
    library(
        "QuoteService",
        ["HTTPConnections", "ServiceKit", hummingbird, httpTypes, logging, lifecycle, argumentParser, nioCore],
        resources: [.embedInCode("Resources")]),
    library(
        "QuizService",
        [
            "ServiceKit", hummingbird, httpTypes, logging, lifecycle, argumentParser, hummingbirdCore, nioCore,
            nioPosix, grdb, "CPostgres",
        ],
        resources: [.embedInCode("Resources")]),
    library(
        "KiadaService",
        [
            "CLinux", "DNSClient", "ServiceKit", "ServiceDiscovery", "NetTypes", hummingbird, httpTypes, logging,
            lifecycle,
            argumentParser, mustache, nioCore, nioPosix, nioHTTP1, nioSSL,
        ],
        resources: [.embedInCode("Resources")]),
    library(
        "ServiceProxy",
        [
            "ControlPlane", "StorePersistence", "ClusterDNS", "ProxyHealth", "ClusterModel", "ClusterStore", "DNSWire",
            "Manifests",
            "LinuxKernel", "NFTablesProxy", "NetTypes",
            "ServiceRouting", "SocketProxy", "UserspaceProxy", logging,
        ]),
    library(
        "ComposePods",
        ["ClusterModel", "ClusterStore", "DNSClient", "DNSWire", "NetTypes", logging, nioCore, nioPosix]),
    library("ServiceProxyCommands", ["SuiteRuntime", "ComposePods", "ServiceKit", "NetTypes", argumentParser]),
    library(
        "SuiteRuntime",
        [
            "ComposePods", "ControlPlane", "ServiceProxy", "ServiceKit", "ClusterAPI", "PodRuntime", "ClusterModel",
            "ServiceRouting", "UserspaceProxy", "ClusterStore", "Manifests",
            "NetTypes",
            "CLinux",
            logging, argumentParser, lifecycle, nioSSL,
            unixSignals,
        ]),
    // 5
    program("quote", ["QuoteService", "ServiceKit"]),
    program("quiz", ["QuizService", "ServiceKit"]),
    program("kiada", ["KiadaService", "ServiceKit"]),
    program("service-proxy", ["ServiceProxyCommands", argumentParser]),
    // All programs of the container image in one file.
    program(
        "suite-programs",
        ["ServiceProxyCommands", "KiadaService", "QuoteService", "QuizService", "ServiceKit", argumentParser]),
    program("kiada-suite", ["SuiteRuntime", "ServiceKit", argumentParser, logging]),
    // Tests
    .target(
        name: "KiadaTesting", dependencies: ["NetTypes"], path: "Tests/Support", swiftSettings: settings),
    tests("NetTypesTests", ["NetTypes"]),
    tests("ClusterModelTests", ["ClusterModel"]),
    tests("DNSWireTests", ["DNSWire", "NetTypes"]),
    tests("ClusterStoreTests", ["ClusterStore", "ClusterModel"]),
    tests("ServiceRoutingTests", ["ServiceRouting", "ClusterModel", "NetTypes"]),
    tests("ManifestsTests", ["Manifests", "ClusterModel"]),
    tests(
        "ServiceDiscoveryTests",
        ["ServiceDiscovery", "DNSClient", "DNSWire", "NetTypes", "KiadaTesting", nioCore, nioPosix]),
    tests(
        "ClusterDNSTests",
        [
            "ClusterDNS", "DNSClient", "ClusterModel", "ClusterStore", "DNSWire", "NetTypes", "KiadaTesting", logging,
            nioCore, nioPosix,
        ]),
    .target(
        name: "DataPlaneContract", dependencies: ["ServiceRouting", "NetTypes"], path: "Tests/DataPlaneContract",
        swiftSettings: settings),
    tests(
        "UserspaceProxyTests",
        ["UserspaceProxy", "DataPlaneContract", "LocalPorts", "ServiceRouting", "NetTypes", "KiadaTesting", logging]),
    tests(
        "NFTablesProxyTests",
        [
            "LinuxKernel", "NFTablesProxy", "DataPlaneContract", "ServiceRouting", "NetTypes", "CLinux", "KiadaTesting",
            logging,
        ]),
    .executableTarget(
        name: "SocketHolder", dependencies: ["SocketProxy", "ServiceRouting", "NetTypes", logging],
        path: "Tests/SocketHolder", swiftSettings: settings),
    tests(
        "SocketProxyTests",
        [
            "SocketProxy", "UserspaceProxy", "DataPlaneContract", "ServiceRouting", "NetTypes", "CLinux",
            "KiadaTesting", "SocketHolder", logging,
        ]),
    tests("ProxyHealthTests", ["ProxyHealth", "ServiceRouting", "ClusterModel", "NetTypes", "KiadaTesting"]),
    tests(
        "PodRuntimeTests",
        [
            "PodRuntime", "ClusterModel", "NetTypes", "KiadaTesting", logging, nioCore, nioPosix, nioHTTP2, nioHPACK,
        ]),
    .executableTarget(
        name: "StoreWriter",
        dependencies: ["StorePersistence", "ControlPlane", "ClusterStore", "ClusterModel", "NetTypes"],
        path: "Tests/StoreWriter", swiftSettings: settings),
    tests(
        "StorePersistenceTests",
        ["StorePersistence", "ControlPlane", "ClusterStore", "ClusterModel", "NetTypes", "KiadaTesting", "StoreWriter"]),
    tests("ControlPlaneTests", ["ControlPlane", "ClusterStore", "ClusterModel", "NetTypes", "KiadaTesting", logging]),
    tests(
        "HTTPConnectionsTests",
        [
            "HTTPConnections", hummingbirdCore, httpTypes, lifecycle, logging, nioCore, nioEmbedded, nioPosix, nioHTTP1,
        ]),
    tests(
        "ServiceKitTests",
        [
            "ServiceKit", "HTTPConnections", "KiadaTesting", hummingbird, hummingbirdCore, hummingbirdTesting,
            httpTypes, lifecycle,
            logging,
            nioCore, nioEmbedded, nioPosix, nioHTTP1, nioSSL, nioTLS,
        ]),
    tests(
        "QuoteServiceTests",
        ["QuoteService", "ServiceKit", "KiadaTesting", hummingbird, hummingbirdTesting, httpTypes, logging]),
    tests(
        "QuizServiceTests",
        ["QuizService", "ServiceKit", "KiadaTesting", hummingbird, hummingbirdTesting, httpTypes, logging, nioCore]),
    tests(
        "KiadaServiceTests",
        [
            "KiadaService", "ServiceKit", "ServiceDiscovery", "NetTypes", "KiadaTesting", hummingbird,
            hummingbirdTesting, httpTypes, logging, nioCore, nioPosix, nioHTTP1,
        ]),
    tests(
        "ServiceProxyTests",
        [
            "LinuxKernel", "ServiceProxy", "ProxyHealth", "ServiceRouting", "ClusterStore", "ClusterModel", "Manifests",
            "NetTypes",
            "KiadaTesting", logging,
        ]),
    tests("ComposePodsTests", ["ComposePods", "ClusterModel", "NetTypes"]),
    tests(
        "ClusterAPITests",
        ["ClusterAPI", "ClusterModel", "ClusterStore", httpTypes, hummingbirdCore, nioCore, nioEmbedded, nioWebSocket]),
    tests(
        "SuiteTests",
        [
            "SuiteRuntime", "ServiceProxy", "ClusterModel", "KiadaTesting", "kiada-suite", "service-proxy", "kiada",
            "quote", "quiz",
        ]),
]

// Programs that only the scripts in Benchmarks/ start.
if Context.environment["KIADA_BENCHMARKS"] != nil {
    targets.append(
        .executableTarget(
            name: "StoreBenchmark",
            dependencies: [
                "ControlPlane", "LinuxKernel", "StorePersistence", "ClusterModel", "ClusterStore", "NetTypes", logging,
            ],
            path: "Benchmarks/store", exclude: ["run.sh"], swiftSettings: settings))
    targets.append(
        .executableTarget(
            name: "DNSBenchmark", dependencies: ["ClusterDNS", "ClusterModel", "ClusterStore", "NetTypes", logging],
            path: "Benchmarks/dns", exclude: ["corpus", "fuzz.sh", "run.sh", "DNSFuzz.swift"],
            sources: ["DNSBenchmark.swift"], swiftSettings: settings))
    targets.append(
        .executableTarget(
            name: "SyncBenchmark", dependencies: ["NFTablesProxy", "ServiceRouting", "NetTypes", logging],
            path: "Benchmarks/sync", exclude: ["run.sh"], swiftSettings: settings))
    targets.append(
        .executableTarget(
            name: "ReadinessBenchmark",
            dependencies: ["ServiceProxy", "ServiceRouting", "ClusterModel", "ClusterStore", "NetTypes", logging],
            path: "Benchmarks/readiness", exclude: ["run.sh"], swiftSettings: settings))
}

// KIADA_ONLY=QuizServiceTests,quote leaves just these targets and what they need: a quick way to
// build and test one part (`make test-one T=QuizServiceTests`).
if let only = Context.environment["KIADA_ONLY"], !only.isEmpty {
    var wanted: Set<String> = []
    var open = only.split(separator: ",").map(String.init)
    while let name = open.popLast() {
        guard wanted.insert(name).inserted, let target = targets.first(where: { $0.name == name }) else { continue }
        for dependency in target.dependencies {
            switch dependency {
            case .byNameItem(let name, _), .targetItem(let name, _): open.append(name)
            default: break
            }
        }
    }
    targets.removeAll { !wanted.contains($0.name) }
}

let package = Package(
    name: "kiada",
    platforms: [.macOS(.v15)],
    products: [],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.1"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-crypto", "3.12.3"..<"5.0.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: targets,
    swiftLanguageModes: [.v6]
)
