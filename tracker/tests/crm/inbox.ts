/** A mail server on this machine: takes mails, and refuses those to addresses that begin with "nobody". */
import { createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

const HOST = "127.0.0.1";

export class Inbox {
	/** What came, with its quoted-printable undone as far as lines and "=" go. */
	mails: { to: string; text: string }[] = [];
	port = 0;
	private server?: Server;

	async start(): Promise<void> {
		this.server = createServer((socket) => this.talk(socket));
		await new Promise<void>((listening) => this.server!.listen(0, HOST, listening));
		this.port = (this.server.address() as AddressInfo).port;
	}

	stop(): void {
		this.server?.close();
	}

	private talk(socket: Socket): void {
		let [pending, to, isData] = ["", "", false];
		const say = (line: string) => socket.write(`${line}\r\n`);
		socket.setEncoding("utf8");
		socket.on("error", () => socket.destroy());
		socket.on("data", (chunk) => {
			pending += chunk;
			for (let end = pending.indexOf(isData ? "\r\n.\r\n" : "\r\n"); end >= 0; end = pending.indexOf(isData ? "\r\n.\r\n" : "\r\n")) {
				const said = pending.slice(0, end);
				pending = pending.slice(end + (isData ? 5 : 2));
				if (isData) {
					this.mails.push({ to, text: said.replace(/=\r\n/g, "").replace(/=3D/g, "=") });
					isData = false;
					say("250 OK");
					continue;
				}
				const recipient = /^RCPT TO:<(.*?)>/i.exec(said);
				if (recipient) to = recipient[1];
				isData = /^DATA/i.test(said);
				say(isData ? "354 Go on" : recipient && to.startsWith("nobody") ? "550 5.1.1 No such user" : /^QUIT/i.test(said) ? "221 Bye" : "250 OK");
			}
		});
		say("220 inbox");
	}
}
