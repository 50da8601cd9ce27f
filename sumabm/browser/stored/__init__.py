"""What is stored: runs to replay and compare, batteries to look into."""
