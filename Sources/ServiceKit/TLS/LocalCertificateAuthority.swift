import Crypto
package import FoundationEssentials
import Glibc
import SwiftASN1
import X509

/// The machine's own certificate authority: `ca.crt` and `ca.key` in a folder, made on first use.
///
/// Several programs may start at once: the key is linked into place whole, and the first one wins.
package struct LocalCertificateAuthority: Sendable {
    /// A certificate and its key, both PEM.
    package struct Issued: Sendable {
        /// The leaf, then the authority.
        package let chainPEM: String
        package let keyPEM: String
        /// When a new one should be asked for: a third of the life before the end.
        package let renewal: Date
    }

    /// Why there is no authority.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private let certificate: Certificate
    private let key: P256.Signing.PrivateKey

    /// Reads the authority of `directory`, or makes one that is valid for ten years.
    package static func loadOrCreate(directory: String) throws(Failure) -> LocalCertificateAuthority {
        do {
            if let existing = try load(directory) { return existing }
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            let made = try make()
            // One file with both comes into being at once, so that no two programs mix their halves.
            try place(
                made.key.pemRepresentation + "\n" + made.certificate.serializeAsPEM().pemString + "\n",
                at: "\(directory)/ca.key")
            guard let winner = try load(directory) else {
                throw Failure(description: "\(directory)/ca.key cannot be read back")
            }
            return winner
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(description: "\(directory): \(error)")
        }
    }

    /// A certificate for a server, valid for 90 days.
    ///
    /// - Parameters:
    ///   - names: DNS names; the first is the common name.
    ///   - addresses: as octets in network order.
    package func issue(names: [String], addresses: [[UInt8]], now: Date = Date()) throws -> Issued {
        let leafKey = P256.Signing.PrivateKey()
        let alternatives =
            names.map { GeneralName.dnsName($0) }
            + addresses.map { GeneralName.ipAddress(ASN1OctetString(contentBytes: $0[...])) }
        let life: TimeInterval = 90 * 86400
        let leaf = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: .init(leafKey.publicKey),
            notValidBefore: now.addingTimeInterval(-300), notValidAfter: now.addingTimeInterval(life),
            issuer: certificate.subject,
            subject: DistinguishedName { CommonName(names.first ?? "kiada") },
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.serverAuth])
                SubjectAlternativeNames(alternatives)
                AuthorityKeyIdentifier(keyIdentifier: Self.identifier(of: key))
            },
            issuerPrivateKey: .init(key))
        let chain = try leaf.serializeAsPEM().pemString + "\n" + certificate.serializeAsPEM().pemString + "\n"
        return Issued(
            chainPEM: chain, keyPEM: leafKey.pemRepresentation, renewal: now.addingTimeInterval(life * 2 / 3))
    }

    /// A certificate for a client, valid for a year.
    ///
    /// - Parameters:
    ///   - name: the user (CN).
    ///   - organization: the group (O).
    package func issueClient(name: String, organization: String, now: Date = Date()) throws -> Issued {
        let leafKey = P256.Signing.PrivateKey()
        let life: TimeInterval = 365 * 86400
        let leaf = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: .init(leafKey.publicKey),
            notValidBefore: now.addingTimeInterval(-300), notValidAfter: now.addingTimeInterval(life),
            issuer: certificate.subject,
            subject: DistinguishedName {
                OrganizationName(organization)
                CommonName(name)
            },
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.clientAuth])
                AuthorityKeyIdentifier(keyIdentifier: Self.identifier(of: key))
            },
            issuerPrivateKey: .init(key))
        return Issued(
            chainPEM: try leaf.serializeAsPEM().pemString + "\n", keyPEM: leafKey.pemRepresentation,
            renewal: now.addingTimeInterval(life * 2 / 3))
    }

    /// The authority's own certificate, PEM.
    package var certificatePEM: String {
        get throws { try certificate.serializeAsPEM().pemString + "\n" }
    }

    private static func make(now: Date = Date()) throws -> LocalCertificateAuthority {
        let key = P256.Signing.PrivateKey()
        let name = try DistinguishedName {
            OrganizationName("Kiada suite")
            CommonName("Kiada local authority")
        }
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: .init(key.publicKey),
            notValidBefore: now.addingTimeInterval(-300), notValidAfter: now.addingTimeInterval(10 * 365 * 86400),
            issuer: name, subject: name, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
                SubjectKeyIdentifier(keyIdentifier: identifier(of: key))
            },
            issuerPrivateKey: .init(key))
        return LocalCertificateAuthority(certificate: certificate, key: key)
    }

    private static func identifier(of key: P256.Signing.PrivateKey) -> ArraySlice<UInt8> {
        ArraySlice(Insecure.SHA1.hash(data: key.publicKey.x963Representation))
    }

    /// Reads `ca.key`, and writes `ca.crt` from it where that is missing; nil without `ca.key`.
    private static func load(_ directory: String) throws -> LocalCertificateAuthority? {
        let file = "\(directory)/ca.key"
        guard FileManager.default.fileExists(atPath: file) else { return nil }
        let text = try String(contentsOf: URL(filePath: file), encoding: .utf8)
        let documents = try PEMDocument.parseMultiple(pemString: text)
        guard let keyDocument = documents.first(where: { $0.discriminator.hasSuffix("PRIVATE KEY") }),
            let certificateDocument = documents.first(where: { $0.discriminator == "CERTIFICATE" })
        else {
            throw Failure(
                description: "\(file) holds no private key and certificate; remove it, and a new one is made")
        }
        let key = try P256.Signing.PrivateKey(pemRepresentation: keyDocument.pemString)
        let certificate = try Certificate(pemDocument: certificateDocument)
        let publicFile = "\(directory)/ca.crt"
        let publicText = certificateDocument.pemString + "\n"
        if (try? String(contentsOf: URL(filePath: publicFile), encoding: .utf8)) != publicText {
            try Data(publicText.utf8).write(to: URL(filePath: publicFile), options: .atomic)
        }
        return LocalCertificateAuthority(certificate: certificate, key: key)
    }

    /// Writes a private file at `path` unless there is one already.
    private static func place(_ text: String, at path: String) throws {
        let draft = "\(path).\(UUID().uuidString).new"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw Failure(description: "cannot write \(draft): \(String(cString: strerror(errno)))")
        }
        defer { unlink(draft) }
        let bytes = Array(text.utf8)
        let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        let isWritten = count == bytes.count && fsync(descriptor) == 0
        close(descriptor)
        guard isWritten else { throw Failure(description: "cannot write \(draft)") }
        if link(draft, path) != 0, errno != EEXIST {
            throw Failure(description: "cannot write \(path): \(String(cString: strerror(errno)))")
        }
    }
}
