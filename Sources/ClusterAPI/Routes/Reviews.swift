import ClusterModel
import Hummingbird

/// Who am I, and may I: here whoever gets in is the administrator (kubectl-wire 10).
enum Reviews {
    static func answer(_ name: String, _ request: Request) async throws -> Response {
        var review = try await BodyReader.object(request)
        switch name {
        case "selfsubjectreviews":
            review["status"] = [
                "userInfo": ["username": "kiada-admin", "groups": ["system:masters", "system:authenticated"]]
            ]
        case "selfsubjectaccessreviews": review["status"] = ["allowed": true]
        default:
            review["status"] = [
                "resourceRules": [["verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]]],
                "nonResourceRules": [["verbs": ["*"], "nonResourceURLs": ["*"]]], "incomplete": false,
            ]
        }
        return APIResponder.json(review, .created)
    }
}
