import Foundation
import KiadaTesting
import SuiteRuntime
import Testing

/// Manifests in the shapes of the book's chapter 11, with `deploy/local/images-chapter11.yaml`.
@Suite("Chapter 11", .enabled(if: RunningSuite.obstacle == nil, "needs ports below 1024"))
struct BookManifestsTests {
    @Test("pods of two containers, every kind of Service, endpoints by hand, and an exec probe")
    func chapter() async throws {
        let folder = try TemporaryFolder("book")
        for (name, text) in [("pods", Self.pods), ("services", Self.services)] {
            try text.write(toFile: folder.path + "/\(name).yaml", atomically: true, encoding: .utf8)
        }
        let suite = try RunningSuite(manifests: folder.path)
        let images = RunningSuite.deploy + "/local/images-chapter11.yaml"
        let up = try await suite.up(["--images", images])
        #expect(up.code == 0, "\(up.errors)")
        let report = try suite.report()
        #expect(report.problems.isEmpty)
        let endpoints = Dictionary(uniqueKeysWithValues: report.services.map { ($0.name, $0.readyEndpoints) })
        #expect(endpoints["quote"] == 2 && endpoints["quiz"] == 1 && endpoints["kiada"] == 2)
        #expect(endpoints["quote-headless"] == 2 && endpoints["external-service"] == 2)
        let types = Dictionary(uniqueKeysWithValues: report.services.map { ($0.name, $0.type) })
        #expect(types["kiada"] == "LoadBalancer" && types["kiada-nodeport"] == "NodePort")
        #expect(types["time-api"] == "ExternalName")

        // S29: the page that the init container wrote, with the pod's host name and its node.
        let line = try await suite.curl("http://\(try suite.clusterIP("quote"))/").output
        #expect(line.hasPrefix("This is the quote service running in pod quote-00"), "\(line)")
        #expect(line.contains(" on node "))
        let page = try await suite.curl("http://127.\(suite.block).65.2:30080/")
        #expect(page.output.hasPrefix("KUBERNETES IN ACTION") && !page.output.contains("ERROR"), "\(page.output)")
        // S60: HTTPS is the container's beside it.
        let secure = try await suite.curl("-k", "https://127.\(suite.block).65.2:30443/")
        #expect(secure.output.hasPrefix("KUBERNETES IN ACTION"), "\(secure.output)\(secure.errors)")
        try await suite.down()
    }

    private static func pod(_ name: String, _ labels: String, _ spec: String) -> String {
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: \(name), namespace: kiada, labels: {\(labels)}}
        spec:
        \(spec)
        ---

        """
    }

    private static func quote(_ name: String) -> String {
        pod(
            name, "app: quote, rel: stable",
            """
              volumes: [{name: shared, emptyDir: {}}]
              initContainers:
                - name: index-creator
                  image: busybox
                  command:
                    - sh
                    - -c
                    - echo "This is the quote service running in pod $HOSTNAME on node $NODE_NAME" > /html/index.html
                  env: [{name: NODE_NAME, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]
                  volumeMounts: [{name: shared, mountPath: /html}]
              containers:
                - name: quote-writer
                  image: luksa/quote-writer:0.1
                  volumeMounts: [{name: shared, mountPath: /var/local/output}]
                - name: nginx
                  image: nginx:alpine
                  volumeMounts: [{name: shared, mountPath: /usr/share/nginx/html, readOnly: true}]
                  ports: [{name: http, containerPort: 80}]
                  readinessProbe:
                    failureThreshold: 1
                    httpGet: {port: 80, path: /quote, scheme: HTTP}
            """)
    }

    private static func kiada(_ name: String, readiness: String) -> String {
        pod(
            name, "app: kiada, rel: stable",
            """
              containers:
                - name: kiada
                  image: luksa/kiada:0.5
                  env:
                    - {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
                    - {name: NODE_IP, valueFrom: {fieldRef: {fieldPath: status.hostIP}}}
                  ports: [{name: http, containerPort: 8080}]
                  readinessProbe:
                    \(readiness)
                - name: envoy
                  image: envoyproxy/envoy:v1.31-latest
                  command: ["envoy", "-c", "/etc/config/envoy.yaml"]
                  volumeMounts: [{name: etc-envoy, mountPath: /etc/config, readOnly: true}]
                  ports: [{name: https, containerPort: 8443}, {name: admin, containerPort: 9901}]
                  readinessProbe: {httpGet: {port: admin, path: /ready}}
              volumes:
                - name: etc-envoy
                  projected:
                    sources:
                      - configMap: {name: kiada-envoy-config}
                      - secret: {name: kiada-tls, items: [{key: tls.key, path: example-com.key, mode: 0600}]}
            """)
    }

    private static let pods =
        """
        apiVersion: v1
        kind: Namespace
        metadata: {name: kiada}
        ---
        apiVersion: v1
        kind: ConfigMap
        metadata: {creationTimestamp: null, name: kiada-envoy-config, namespace: kiada, labels: {app: kiada}}
        binaryData: {dummy.bin: n2VW}
        data: {envoy.yaml: "admin: {}"}
        ---
        apiVersion: v1
        kind: Secret
        metadata: {name: kiada-tls, namespace: kiada, labels: {app: kiada}}
        type: kubernetes.io/tls
        data: {tls.crt: LS0tLS0K, tls.key: LS0tLS0K}
        ---

        """
        + quote("quote-001") + quote("quote-002")
        + kiada("kiada-001", readiness: "httpGet: {port: 8080, path: /healthz/ready, scheme: HTTP}")
        + kiada("kiada-mock-readiness", readiness: "exec: {command: [ls, /]}")
        + pod(
            "quiz", "app: quiz, rel: stable",
            """
              volumes: [{name: initdb, emptyDir: {}}, {name: quiz-data, emptyDir: {}}]
              initContainers:
                - name: installer
                  image: luksa/quiz-initdb-script-installer:0.1
                  volumeMounts: [{name: initdb, mountPath: /initdb.d}]
              containers:
                - name: quiz-api
                  image: luksa/quiz-api:0.1
                  ports: [{name: http, containerPort: 8080}]
                  readinessProbe: {httpGet: {port: http, path: /healthz/ready, scheme: HTTP}}
                - name: mongo
                  image: mongo:5
                  volumeMounts: [{name: quiz-data, mountPath: /data/db}]
            """)

    private static let services = """
        apiVersion: v1
        kind: Service
        metadata: {name: quote, namespace: kiada}
        spec:
          type: ClusterIP
          selector: {app: quote}
          ports: [{name: http, port: 80, targetPort: 80, protocol: TCP}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: quote-headless, namespace: kiada}
        spec:
          clusterIP: None
          selector: {app: quote}
          ports: [{name: http, port: 80, targetPort: 80, protocol: TCP}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: quiz, namespace: kiada}
        spec:
          sessionAffinity: ClientIP
          selector: {app: quiz}
          ports: [{name: http, port: 80, targetPort: http, protocol: TCP}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: kiada, namespace: kiada}
        spec:
          type: LoadBalancer
          externalTrafficPolicy: Local
          selector: {app: kiada}
          ports:
            - {name: http, port: 80, nodePort: 30080, targetPort: 8080}
            - {name: https, port: 443, nodePort: 30443, targetPort: 8443}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: kiada-nodeport, namespace: kiada}
        spec:
          type: NodePort
          internalTrafficPolicy: Local
          publishNotReadyAddresses: true
          selector: {app: kiada}
          ports: [{name: http, port: 80, nodePort: 30081, targetPort: 8080}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: time-api, namespace: kiada}
        spec: {type: ExternalName, externalName: time.example.com}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: external-service, namespace: kiada}
        spec:
          ports: [{name: http, port: 80}]
        ---
        apiVersion: v1
        kind: Endpoints
        metadata: {name: external-service, namespace: kiada}
        subsets:
          - addresses: [{ip: 198.51.100.1}, {ip: 198.51.100.2}]
            ports: [{name: http, port: 88}]
        """
}
