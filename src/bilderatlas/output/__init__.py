"""What people take along: files, static maps, evaluation reports, vector databases."""
