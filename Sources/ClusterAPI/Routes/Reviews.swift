import ClusterModel
import HTTPTypes
import HummingbirdCore

/// Who am I, and may I: here whoever gets in is the administrator (kubectl-wire 10).
enum Reviews {
    static func answer(_ name: String, _ request: Request) async throws -> Response {
        try AnswerForm.requirePlain(request)
        var review = try await BodyReader.object(request)
        switch name {
        case "selfsubjectreviews":
            review["status"] = [
                "userInfo": ["username": "kiada-admin", "groups": ["system:masters", "system:authenticated"]]
            ]
        case "localsubjectaccessreviews", "selfsubjectaccessreviews", "subjectaccessreviews":
            review["status"] = ["allowed": true]
        default:
            review["status"] = [
                "resourceRules": [["verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]]],
                "nonResourceRules": [["verbs": ["*"], "nonResourceURLs": ["*"]]], "incomplete": false,
            ]
        }
        return APIResponder.json(review, .created)
    }
}
