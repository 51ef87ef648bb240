"""The process that looks into run folders for the server: what runs there are, how far each is, its page, replays."""
