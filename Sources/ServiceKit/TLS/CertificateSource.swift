import FoundationEssentials
package import Logging
import NIOCore
package import NIOSSL
import Synchronization

/// Where a server's certificate comes from, looked at again with each new connection.
///
/// Files that have changed are read again. What cannot be read keeps the last good certificate in use.
package final class CertificateSource: Sendable {
    private enum Origin: Sendable {
        case files(certificate: String, key: String)
        case authority(LocalCertificateAuthority, names: [String], addresses: [[UInt8]])
    }

    private struct Loaded {
        var override: NIOSSLContextConfigurationOverride
        var chain: [NIOSSLCertificate]
        var key: NIOSSLPrivateKey
        var version: [String]
        var renewal: Date
    }

    private let origin: Origin
    private let logger: Logger
    private let loaded: Mutex<Loaded>

    /// A certificate chain and a key in PEM files.
    ///
    /// - Throws: what is wrong with them.
    package init(certificate: String, key: String, logger: Logger) throws {
        origin = .files(certificate: certificate, key: key)
        self.logger = logger
        loaded = Mutex(try Self.load(origin))
    }

    /// Certificates of the local authority, for `names` and `addresses`.
    package init(authority: LocalCertificateAuthority, names: [String], addresses: [[UInt8]], logger: Logger) throws {
        origin = .authority(authority, names: names, addresses: addresses)
        self.logger = logger
        loaded = Mutex(try Self.load(origin))
    }

    /// The configuration of a TLS server that always shows the newest certificate.
    package func serverConfiguration() -> TLSConfiguration {
        var configuration = loaded.withLock { loaded in
            TLSConfiguration.makeServerConfiguration(
                certificateChain: loaded.chain.map { .certificate($0) }, privateKey: .privateKey(loaded.key))
        }
        configuration.minimumTLSVersion = .tlsv12
        configuration.sslContextCallback = { [self] _, promise in promise.succeed(current()) }
        return configuration
    }

    private func current() -> NIOSSLContextConfigurationOverride {
        loaded.withLock { loaded in
            guard isStale(loaded) else { return loaded.override }
            do {
                loaded = try Self.load(origin)
                logger.notice("the certificate was read again")
            } catch {
                // Said once per change, not once per connection.
                loaded.version = Self.version(of: origin)
                loaded.renewal = Date().addingTimeInterval(60)
                logger.error("the new certificate cannot be used, the old one stays", metadata: ["reason": "\(error)"])
            }
            return loaded.override
        }
    }

    private func isStale(_ loaded: Loaded) -> Bool {
        switch origin {
        case .files: Self.version(of: origin) != loaded.version
        case .authority: Date() >= loaded.renewal
        }
    }

    private static func load(_ origin: Origin) throws -> Loaded {
        let chain: [NIOSSLCertificate]
        let key: NIOSSLPrivateKey
        var renewal = Date.distantFuture
        let version = version(of: origin)
        switch origin {
        case .files(let certificateFile, let keyFile):
            chain = try NIOSSLCertificate.fromPEMFile(certificateFile)
            key = try NIOSSLPrivateKey(file: keyFile, format: .pem)
        case .authority(let authority, let names, let addresses):
            let issued = try authority.issue(names: names, addresses: addresses)
            chain = try NIOSSLCertificate.fromPEMBytes(Array(issued.chainPEM.utf8))
            key = try NIOSSLPrivateKey(bytes: Array(issued.keyPEM.utf8), format: .pem)
            renewal = issued.renewal
        }
        var override = NIOSSLContextConfigurationOverride()
        override.certificateChain = chain.map { .certificate($0) }
        override.privateKey = .privateKey(key)
        // A key that does not fit is found now, not with the first client.
        _ = try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key)))
        return Loaded(override: override, chain: chain, key: key, version: version, renewal: renewal)
    }

    /// Size, time and inode of the files: different once they have changed.
    private static func version(of origin: Origin) -> [String] {
        guard case .files(let certificate, let key) = origin else { return [] }
        return [certificate, key].map { file in
            let attributes = (try? FileManager.default.attributesOfItem(atPath: file)) ?? [:]
            let time = (attributes[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
            return "\(attributes[.size] ?? 0) \(time) \(attributes[.systemFileNumber] ?? 0)"
        }
    }
}
