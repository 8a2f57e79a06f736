"""Stories that are played with the real commands, whose words are held against what the story expects."""
