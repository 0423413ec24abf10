export default function mount(host) {
  host.textContent = 'tip';
}
