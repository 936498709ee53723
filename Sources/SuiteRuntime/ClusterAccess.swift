import ClusterAPI
import FoundationEssentials
import Glibc
import Logging
import NIOSSL
import NetTypes
import ServiceKit

/// Who may talk to the API, and how: TLS with certificates of the local authority on both sides.
struct ClusterAccess {
    private let authority: LocalCertificateAuthority
    private let directory: StateDirectory

    init(_ authority: LocalCertificateAuthority, _ directory: StateDirectory) {
        self.authority = authority
        self.directory = directory
    }

    /// The server's side: clients have to show a certificate of the authority.
    func serverConfiguration(addresses: [IPAddress], logger: Logger) throws -> TLSConfiguration {
        let source = try CertificateSource(
            authority: authority, names: HostField.names, addresses: addresses.map(\.octets), logger: logger)
        var configuration = source.serverConfiguration()
        let pem = Array(try authority.certificatePEM.utf8)
        configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(pem))
        configuration.certificateVerification = .noHostnameVerification
        return configuration
    }

    /// Writes the file for kubectl, readable by its owner only.
    func writeKubeconfig(server: String) throws(SuiteError) {
        func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
        do {
            let client = try authority.issueClient(name: "kiada-admin", organization: "system:masters")
            let text = """
                apiVersion: v1
                kind: Config
                clusters:
                - name: kiada
                  cluster:
                    server: \(server)
                    certificate-authority-data: \(base64(try authority.certificatePEM))
                users:
                - name: kiada
                  user:
                    client-certificate-data: \(base64(client.chainPEM))
                    client-key-data: \(base64(client.keyPEM))
                contexts:
                - name: kiada
                  context: {cluster: kiada, user: kiada, namespace: kiada}
                current-context: kiada

                """
            let draft = directory.kubeconfig + ".new"
            unlink(draft)
            let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw SuiteError(String(cString: strerror(errno))) }
            let bytes = Array(text.utf8)
            let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            close(descriptor)
            guard count == bytes.count, rename(draft, directory.kubeconfig) == 0 else {
                throw SuiteError(String(cString: strerror(errno)))
            }
        } catch {
            throw SuiteError("cannot write \(directory.kubeconfig): \(error)")
        }
    }
}
