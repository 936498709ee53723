// QuizService
